-- Ask for a resync of a cohort that has none under way.
-- KEYS  1 resync, 2 open, 3 resyncs, 4 rung, 5 due cohorts, 6 due resyncs, 7 apply lane, 8 resync lane
-- ARGV  1 number, 2 cohort, 3 lane that it begins with, 4 how many resyncs to keep, then the resync's fields and values
-- Answer  {1, wake number, lane}: 1 the apply lane, 2 the resync lane; {0, number of the one under way}.
-- Cost  O(1).
--! include store/scripts/now.lua
--! include lanes/scripts/queue.lua
local open = redis.call('HGET', KEYS[2], ARGV[2])
if open then return {0, tonumber(open)} end
local now = now_ms()
redis.call('HSET', KEYS[1], 'asked_ms', string.format('%.0f', now), unpack(ARGV, 5))
redis.call('HSET', KEYS[2], ARGV[2], ARGV[1])
redis.call('ZADD', KEYS[3], ARGV[1], ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -1 - tonumber(ARGV[4]))
if ARGV[3] == 'apply' then
  redis.call('HSET', KEYS[4], ARGV[2], ARGV[1])
  redis.call('ZADD', KEYS[5], 'LT', 1, ARGV[2])
  return {1, wake_lane(KEYS[7], now), 1}
end
redis.call('ZADD', KEYS[6], 0, ARGV[1])
return {1, wake_lane(KEYS[8], now), 2}
