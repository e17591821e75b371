-- Lengthen a request's lease, if it still has one.
--
-- KEYS[1]  sorted set: id of a request under way -> when (us) its lease ends
-- ARGV     id, lease in us [, now in us: tests only]
-- Answer   1 if it was lengthened; 0 if it had ended, and others may have taken the place
-- Cost     O(log n)
local LEASES_LIVE_MS = 7200000

local now_us
if ARGV[3] then
  now_us = tonumber(ARGV[3])
else
  local time = redis.call('TIME')
  now_us = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local ends_us = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not ends_us or tonumber(ends_us) <= now_us then
  return 0
end
redis.call('ZADD', KEYS[1], string.format('%.0f', now_us + tonumber(ARGV[2])), ARGV[1])
redis.call('PEXPIRE', KEYS[1], LEASES_LIVE_MS)
return 1
