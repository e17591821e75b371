-- Move dead letters into an outbox, in one step: each that is still there, and so each once.
-- KEYS  1 dead letters, 2 dead letter counts, 3 redriven, 4 outbox, 5 outbox meta, 6 the outbox's lane
-- ARGV  1 cap of the outbox in bytes, 2 how many redriven letters to remember, then 2 values a letter: id, and the
--       record as the outbox holds it (on one line)
-- Answer  {moved, wake number or 0}; {-1} none of them is there, {-2} no room in the outbox, and then nothing was done.
-- Cost  O(letters log(redriven)), and the copy of the records; the caller hands over 250 letters at most.
--       What goes into the outbox goes out of the dead letters in the same step. So it is done also at maxmemory:
--       the first write takes no memory.
--! include store/scripts/now.lua
--! include lanes/scripts/queue.lua
local dead, counts, redriven, meta = KEYS[1], KEYS[2], KEYS[3], KEYS[5]

local ids, records = {}, {}
for i = 3, #ARGV, 2 do
  if #redis.call('XRANGE', dead, ARGV[i], ARGV[i]) > 0 then
    ids[#ids + 1] = ARGV[i]
    records[#records + 1] = ARGV[i + 1]
  end
end
if #ids == 0 then return {-1} end
local body = table.concat(records, '\n')
local waiting = tonumber(redis.call('HGET', meta, 'bytes') or '0')
if waiting > 0 and waiting + #body > tonumber(ARGV[1]) then return {-2} end

local now = now_ms()
local time = string.format('%.0f', now)
redis.call('XDEL', dead, unpack(ids))
local sequence = redis.call('HINCRBY', meta, 'sequence', 1)
redis.call('XADD', KEYS[4], string.format('%.0f-0', sequence), 'time_ms', time,
  'count', #ids, 'bytes', #body, 'records', body)
redis.call('HINCRBY', meta, 'bytes', #body)
redis.call('HINCRBY', meta, 'records', #ids)
redis.call('HINCRBY', counts, 'redriven', #ids)
for _, id in ipairs(ids) do redis.call('ZADD', redriven, time, id) end
redis.call('ZREMRANGEBYRANK', redriven, 0, -tonumber(ARGV[2]) - 1)
return {#ids, wake_lane(KEYS[6], now)}
