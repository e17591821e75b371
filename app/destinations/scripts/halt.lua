-- Note why a destination does not go on: it waits for another try, or for a person.
-- KEYS  1 lane, 2 destination, 3 log, 4 log meta
-- ARGV  1 token, 2 'retrying' | 'stopped', 3 reason, 4 digest of the credential (for 'stopped', else empty),
--       5 code of what went wrong, counted for ever, 6 how long (ms) it fails until it is told, 7 candidate for the
--       log's generation, then the entry (names and values) that tells of it, once until it is well again
-- Answer  the number of tries that the window has failed, or 0 when the lane is no longer ours.
-- Cost  O(1).
--! include lanes/scripts/fence.lua
--! include store/scripts/now.lua
--! include cohorts/scripts/log.lua
--! include store/scripts/although_full.lua
local destination = KEYS[2]
if not fenced(KEYS[1], ARGV[1]) then return 0 end
local was = redis.call('HMGET', destination, 'state', 'since_ms', 'told_ms')
although_full(destination)
local now = now_ms()
local since = tonumber(was[2] or '0')
if was[1] ~= ARGV[2] then
  since = now
  redis.call('HSET', destination, 'state', ARGV[2], 'since_ms', string.format('%.0f', now))
end
local well = not was[1] or was[1] == 'ok'
if (well or not was[3]) and (ARGV[2] == 'stopped' or now - since >= tonumber(ARGV[6])) then
  append_entries(KEYS[3], KEYS[4], ARGV[7], 1, 8, now)
  redis.call('HSET', destination, 'told_ms', string.format('%.0f', now))
elseif well then
  redis.call('HDEL', destination, 'told_ms')
end
redis.call('HSET', destination, 'reason', ARGV[3], 'refused', ARGV[4])
redis.call('HINCRBY', destination, 'failed:' .. ARGV[5], 1)
return redis.call('HINCRBY', destination, 'tries', 1)
