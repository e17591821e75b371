-- Hand a resync to the apply lane, on behalf of the resync lane's holder.
-- KEYS  1 lane, 2 resync, 3 open, 4 rung, 5 due cohorts, 6 due resyncs, 7 apply lane
-- ARGV  1 token, 2 number, 3 cohort, then names and values that say why
-- Answer  {1, wake number of the apply lane}; {0, 0} when the lane is no longer ours.
-- Cost  O(1).
--! include lanes/scripts/fence.lua
--! include store/scripts/now.lua
--! include lanes/scripts/queue.lua
--! include store/scripts/although_full.lua
if not fenced(KEYS[1], ARGV[1]) then return {0, 0} end
although_full(KEYS[1])
redis.call('ZREM', KEYS[6], ARGV[2])
if redis.call('HGET', KEYS[3], ARGV[3]) ~= ARGV[2] then return {1, 0} end
if #ARGV > 3 then redis.call('HSET', KEYS[2], unpack(ARGV, 4)) end
redis.call('HSET', KEYS[4], ARGV[3], ARGV[2])
redis.call('ZADD', KEYS[5], 'LT', 1, ARGV[3])
return {1, wake_lane(KEYS[7], now_ms())}
