-- Replace what a subscription's owner wants, if it is still what somebody has read.
-- KEYS  1 subscriptions
-- ARGV  1 subscription, 2 what was read, 3 what takes its place
-- Answer  1, or 0 when it was changed or deleted meanwhile; then nothing is changed
-- Cost  O(1).
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
