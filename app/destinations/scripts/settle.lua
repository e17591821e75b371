-- Note what is settled (accepted, or in the dead letters), with its dead letters, in one step; once only.
-- KEYS  1 lane, 2 destination, 3 accepted, 4 dead letters, 5 dead letter counts
-- ARGV  1 token, 2 destination's name, 3 cap of the dead letters, 4 records accepted, 5 number of marks (1 or
--       more), then the marks, then 4 values a dead letter: code, reason, response, record
-- Answer  {1, n} with n the oldest dead letters that were dropped for the cap; {0, 0} when the lane is no
--         longer ours. The first mark being there already means that this step was done: nothing changes.
-- Cost  O(marks + dead letters); the caller hands over 1,000 marks and 250 dead letters at most.
--! include lanes/scripts/fence.lua
--! include store/scripts/now.lua
--! include store/scripts/although_full.lua
local destination, accepted, dead, counts = KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local name, cap = ARGV[2], tonumber(ARGV[3])
if not fenced(KEYS[1], ARGV[1]) then return {0, 0} end
if redis.call('SISMEMBER', accepted, ARGV[6]) == 1 then return {1, 0} end
local window = cjson.decode(redis.call('HGET', destination, 'window_dead') or '{}')
although_full(destination)
local last_mark = 5 + tonumber(ARGV[5])
local now = string.format('%.0f', now_ms())
local letters, codes = 0, {}
for i = last_mark + 1, #ARGV, 4 do
  redis.call('XADD', dead, '*', 'destination', name, 'time_ms', now,
    'code', ARGV[i], 'reason', ARGV[i + 1], 'response', ARGV[i + 2], 'record', ARGV[i + 3])
  codes[ARGV[i]] = (codes[ARGV[i]] or 0) + 1
  letters = letters + 1
end
for code, number in pairs(codes) do
  redis.call('HINCRBY', counts, name .. ':' .. code, number)
  window[code] = (window[code] or 0) + number
end
local dropped = 0
if letters > 0 then
  -- At most 500 at a time, so that a lowered cap is reached in small steps.
  local length = redis.call('XLEN', dead)
  dropped = math.max(0, math.min(length - cap, 500))
  if dropped > 0 then
    redis.call('XTRIM', dead, 'MAXLEN', '=', length - dropped)
    redis.call('HINCRBY', counts, 'dropped', dropped)
  end
  redis.call('HINCRBY', destination, 'dead_lettered', letters)
  redis.call('HSET', destination, 'window_dead', cjson.encode(window))
end
redis.call('HINCRBY', destination, 'delivered', ARGV[4])
redis.call('SADD', accepted, unpack(ARGV, 6, last_mark))
return {1, dropped}
