-- Note which ids a submission's links wait for. Derived from the outbox, so anybody may do it, at any time.
-- KEYS  1 identity meta, 2 pending
-- ARGV  1 how far the index was, 2 how far it is with this, then a digest and a sequence each
-- Answer  1, or 0 when the index is elsewhere by now: somebody else did it.
-- Cost  O(ids); the caller hands over 1,000 at most.
--! include store/scripts/although_full.lua
if (redis.call('HGET', KEYS[1], 'indexed') or '0') ~= ARGV[1] then return 0 end
although_full(KEYS[1])
if #ARGV > 2 then redis.call('HSET', KEYS[2], unpack(ARGV, 3)) end
redis.call('HSET', KEYS[1], 'indexed', ARGV[2])
return 1
