-- Take a lock, or keep it.
-- KEYS  1 lock
-- ARGV  1 name of who wants it, 2 lifetime in ms
-- Answer  1 if it is theirs, 0 if somebody else has it.
-- Cost  O(1).
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1]) -- takes no memory, so that what follows is done even at maxmemory
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
