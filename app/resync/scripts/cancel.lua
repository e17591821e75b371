-- Ask a resync to stop. The apply lane ends it; a resync that has ended stays as it is.
-- KEYS  1 resync, 2 open, 3 rung, 4 due cohorts, 5 apply lane
-- ARGV  1 number, 2 cohort
-- Answer  {1, wake number of the apply lane}, or {0, 0} when it is not under way.
-- Cost  O(1).
--! include store/scripts/now.lua
--! include lanes/scripts/queue.lua
--! include store/scripts/although_full.lua
if redis.call('HGET', KEYS[2], ARGV[2]) ~= ARGV[1] then return {0, 0} end
although_full(KEYS[1])
redis.call('HSET', KEYS[1], 'cancel', '1')
redis.call('HSET', KEYS[3], ARGV[2], ARGV[1])
redis.call('ZADD', KEYS[4], 'LT', 1, ARGV[2])
return {1, wake_lane(KEYS[5], now_ms())}
