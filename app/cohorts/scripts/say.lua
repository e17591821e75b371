-- Leave for the apply lane what a person says about a full list that is held.
-- KEYS  1 cohort, 2 what was said, 3 due cohorts, 4 apply lane
-- ARGV  1 cohort, 2 number of the list, 3 what is said
-- Answer  {1, wake number of the apply lane}; {0, 0} when that list is not held.
-- Cost  O(1).
--! include store/scripts/now.lua
--! include lanes/scripts/queue.lua
--! include store/scripts/although_full.lua
if redis.call('HGET', KEYS[1], 'hold') ~= ARGV[2] then return {0, 0} end
although_full(KEYS[2])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
redis.call('ZADD', KEYS[3], 'LT', 1, ARGV[1])
return {1, wake_lane(KEYS[4], now_ms())}
