-- Take in a submission as one or more entries, all or none: durable once this has answered.
-- KEYS  1 outbox, 2 outbox meta, 3 the outbox's lane, 4 that the project is being deleted, 5 how it is held,
--       6 request to remember (may be left out)
-- ARGV  1 records' number, 2 their bytes, 3 cap in bytes, 4 number of entries, then three values an entry: its
--       records' number, their bytes, the records (a line each); with a request then: digest of its body, answer to
--       remember, lifetime in seconds (0: only look it up)
-- Answer  {1, sequence of the last entry, wake number} taken in; {0, answer} the request came before; {-1} it came
--         before with another body; {-2} no room; {-3} accepting is stopped; {-9} the project is being deleted.
-- Cost  O(entries), and the copy of the records: 1 to 2 ms a megabyte, so that the API's cap on a call counts.
--! include store/scripts/now.lua
--! include lanes/scripts/queue.lua
--! include store/scripts/although_full.lua
if redis.call('EXISTS', KEYS[4]) == 1 then return {-9} end
local meta, request = KEYS[2], KEYS[6]
local entries = tonumber(ARGV[4])
local of_request = 5 + 3 * entries
if request then
  local known = redis.call('HMGET', request, 'digest', 'answer')
  if known[1] then
    if known[1] ~= ARGV[of_request] then return {-1} end
    -- Counted, so that whoever waits for replicas behind this has something to wait for: they may lack it.
    -- Even at maxmemory: it is safe to say that this was taken in.
    although_full(meta)
    redis.call('HINCRBY', meta, 'repeated', 1)
    return {0, known[2]}
  end
end
if redis.call('HEXISTS', KEYS[5], 'closed_ms') == 1 then return {-3} end
local waiting = tonumber(redis.call('HGET', meta, 'bytes') or '0')
if waiting > 0 and waiting + tonumber(ARGV[2]) > tonumber(ARGV[3]) then return {-2} end
local now = now_ms()
local time = string.format('%.0f', now)
local sequence = redis.call('HINCRBY', meta, 'sequence', entries)
for i = 1, entries do
  local at = 2 + 3 * i
  redis.call('XADD', KEYS[1], string.format('%.0f-0', sequence - entries + i), 'time_ms', time,
    'count', ARGV[at], 'bytes', ARGV[at + 1], 'records', ARGV[at + 2])
end
redis.call('HINCRBY', meta, 'bytes', ARGV[2])
redis.call('HINCRBY', meta, 'records', ARGV[1])
if request and tonumber(ARGV[of_request + 2]) > 0 then
  redis.call('HSET', request, 'digest', ARGV[of_request], 'answer', ARGV[of_request + 1])
  redis.call('EXPIRE', request, ARGV[of_request + 2])
end
return {1, sequence, wake_lane(KEYS[3], now)}
