-- Give a token another secret; the one it has stays valid for a while.
-- KEYS  1 token
-- ARGV  1 digest of the new secret, 2 until when (ms) the old one is valid
-- Answer  1, or 0 where there is no such token.
-- Cost  O(1).
local digest = redis.call('HGET', KEYS[1], 'digest')
if not digest then return 0 end
redis.call('HDEL', KEYS[1], 'old_used_ms')
redis.call('HSET', KEYS[1], 'digest', ARGV[1], 'old_digest', digest, 'old_until_ms', ARGV[2])
return 1
