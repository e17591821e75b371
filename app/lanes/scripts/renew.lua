-- Keep the lane for another lease, and say how long a request sent now can be on the wire.
-- KEYS  1 lane
-- ARGV  1 token, 2 lease in ms, 3 longest request in ms (0: none)
-- Answer  1, or 0 when the lane is no longer ours.
-- Cost  O(1).
--! include lanes/scripts/fence.lua
--! include store/scripts/now.lua
--! include store/scripts/although_full.lua
local lane = KEYS[1]
if not fenced(lane, ARGV[1]) then return 0 end
although_full(lane)
local now = now_ms()
redis.call('HSET', lane, 'lease', string.format('%.0f', now + tonumber(ARGV[2])))
if ARGV[3] ~= '0' then
  redis.call('HSET', lane, 'inflight', string.format('%.0f', now + tonumber(ARGV[3])))
end
return 1
