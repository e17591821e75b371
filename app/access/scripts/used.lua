-- Note when a token was last used, unless it has been revoked meanwhile.
-- KEYS  1 token
-- ARGV  1 time in ms, 2 the field: used_ms, or old_used_ms for the secret before the last rotation
-- Answer  nil
-- Cost  O(1).
--! include store/scripts/although_full.lua
if redis.call('EXISTS', KEYS[1]) == 0 then return end
although_full(KEYS[1])
redis.call('HSET', KEYS[1], ARGV[2], ARGV[1])
