-- Take in a submission: durable once this has answered.
-- KEYS  1 outbox, 2 outbox meta, 3 the outbox's lane, 4 request to remember (may be left out)
-- ARGV  1 records' number, 2 their bytes, 3 the records (a line each), 4 cap in bytes; with a request: 5 digest of its
--       body, 6 answer to remember, 7 lifetime in seconds
-- Answer  {1, sequence, wake number} taken in; {0, answer} the request came before; {-1} it came before with
--         another body; {-2} no room.
-- Cost  O(1), and the copy of the records.
--! include store/scripts/now.lua
--! include lanes/scripts/queue.lua
--! include store/scripts/although_full.lua
local meta, request = KEYS[2], KEYS[4]
if request then
  local known = redis.call('HMGET', request, 'digest', 'answer')
  if known[1] then
    if known[1] ~= ARGV[5] then return {-1} end
    -- Counted, so that whoever waits for replicas behind this has something to wait for: they may lack it.
    -- Even at maxmemory: it is safe to say that this was taken in.
    although_full(meta)
    redis.call('HINCRBY', meta, 'repeated', 1)
    return {0, known[2]}
  end
end
local waiting = tonumber(redis.call('HGET', meta, 'bytes') or '0')
if waiting > 0 and waiting + tonumber(ARGV[2]) > tonumber(ARGV[4]) then return {-2} end
local now = now_ms()
local sequence = redis.call('HINCRBY', meta, 'sequence', 1)
redis.call('XADD', KEYS[1], string.format('%.0f-0', sequence), 'time_ms', string.format('%.0f', now),
  'count', ARGV[1], 'bytes', ARGV[2], 'records', ARGV[3])
redis.call('HINCRBY', meta, 'bytes', ARGV[2])
redis.call('HINCRBY', meta, 'records', ARGV[1])
if request then
  redis.call('HSET', request, 'digest', ARGV[5], 'answer', ARGV[6])
  redis.call('EXPIRE', request, ARGV[7])
end
return {1, sequence, wake_lane(KEYS[3], now)}
