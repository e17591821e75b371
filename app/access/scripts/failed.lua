-- Count a wrong token of a client, and say whether that is to be logged.
-- KEYS  1 the client's counter, 2 counts of all
-- ARGV  1 how long a client's are counted, in ms; 2 how long is kept between two lines, in ms
-- Answer  {this client's so far, ms until they are forgotten, how many to log: 0 for not now}
-- Cost  O(1).
--! include store/scripts/now.lua
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
redis.call('HINCRBY', KEYS[2], 'total', 1)
local untold = redis.call('HINCRBY', KEYS[2], 'untold', 1)
local now = now_ms()
if now - tonumber(redis.call('HGET', KEYS[2], 'told_ms') or '0') < tonumber(ARGV[2]) then untold = 0 end
if untold > 0 then redis.call('HSET', KEYS[2], 'told_ms', now, 'untold', 0) end
return {count, redis.call('PTTL', KEYS[1]), untold}
