-- Ask that the members of cohorts are brought to other rules. The apply lane does it.
-- KEYS  1 rule sets, 2 rules' meta, 3 rung, 4 due cohorts, 5 apply lane
-- ARGV  1 digest of the rules, 2 the rules, 3 who asks, then cohorts
-- Answer  wake number of the apply lane.
-- Cost  O(cohorts); callers keep it to some hundred.
--! include store/scripts/now.lua
--! include lanes/scripts/queue.lua
local now = now_ms()
local asked = string.format('["%s",%.0f]', ARGV[1], now)
redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[2], 'asked', ARGV[1], 'asked_ms', string.format('%.0f', now), 'asked_by', ARGV[3])
for i = 4, #ARGV do
  redis.call('HSET', KEYS[3], ARGV[i], asked)
  redis.call('ZADD', KEYS[4], 'LT', 1, ARGV[i])
end
return wake_lane(KEYS[5], now)
