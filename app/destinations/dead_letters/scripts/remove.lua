-- Take dead letters out, and count them.
-- KEYS  1 dead letters, 2 dead letter counts
-- ARGV  1 counter: 'discarded' or 'expired', then the letters' ids
-- Answer  how many there were of these.
-- Cost  O(ids); the caller hands over 500 at most. The first write takes no memory, so it works at maxmemory, too.
local removed = redis.call('XDEL', KEYS[1], unpack(ARGV, 2))
if removed > 0 then redis.call('HINCRBY', KEYS[2], ARGV[1], removed) end
return removed
