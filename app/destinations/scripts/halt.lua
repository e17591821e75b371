-- Note why a destination does not go on: it waits for another try, or for a person.
-- KEYS  1 lane, 2 destination
-- ARGV  1 token, 2 'retrying' | 'stopped', 3 reason, 4 digest of the credential (for 'stopped', else empty),
--       5 code of what went wrong, counted for ever
-- Answer  the number of tries that the window has failed, or 0 when the lane is no longer ours.
-- Cost  O(1).
--! include lanes/scripts/fence.lua
--! include store/scripts/now.lua
--! include store/scripts/although_full.lua
local destination = KEYS[2]
if not fenced(KEYS[1], ARGV[1]) then return 0 end
although_full(destination)
if redis.call('HGET', destination, 'state') ~= ARGV[2] then
  redis.call('HSET', destination, 'state', ARGV[2], 'since_ms', string.format('%.0f', now_ms()))
end
redis.call('HSET', destination, 'reason', ARGV[3], 'refused', ARGV[4])
redis.call('HINCRBY', destination, 'failed:' .. ARGV[5], 1)
return redis.call('HINCRBY', destination, 'tries', 1)
