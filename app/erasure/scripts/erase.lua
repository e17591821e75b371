-- Ask for an erasure, unless one of the same id is under way. From here on the id is suppressed.
-- KEYS  1 erasure, 2 open, 3 erasures, 4 due, 5 suppressed, 6 erasure lane
-- ARGV  1 number, 2 candidate for the salt, which must be that in use if there is one, 3 digest of the id, 4 lifetime
--       in s, 5 how many are listed, then the erasure's fields and values
-- Answer  {1, wake number}; {0, number of the one under way}; {-1} when there is another salt by now.
-- Cost  O(1), and what is over the number that is listed.
--! include store/scripts/now.lua
--! include lanes/scripts/queue.lua
local salt = redis.call('HGET', KEYS[5], 'salt')
if salt and salt ~= ARGV[2] then return {-1} end
local before = redis.call('HGET', KEYS[5], ARGV[3])
local state = before and redis.call('HGET', KEYS[2], before)
if state and state ~= 'completed' then return {0, tonumber(before)} end
local now = now_ms()
redis.call('HSET', KEYS[1], 'asked_ms', string.format('%.0f', now), unpack(ARGV, 6))
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('HSET', KEYS[2], ARGV[1], 'asked')
redis.call('ZADD', KEYS[3], ARGV[1], ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -1 - tonumber(ARGV[5]))
redis.call('ZADD', KEYS[4], 0, ARGV[1])
redis.call('HSET', KEYS[5], 'salt', ARGV[2], ARGV[3], ARGV[1])
return {1, wake_lane(KEYS[6], now)}
