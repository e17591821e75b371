-- Note which operations are about to be sent that must not be sent twice, or take the note back.
-- KEYS  1 lane, 2 accepted
-- ARGV  1 token, 2 'SADD' | 'SREM', 3... marks
-- Answer  1, or 0 when the lane is no longer ours.
-- Cost  O(marks); the caller hands over 1,000 at most.
--! include lanes/scripts/fence.lua
--! include store/scripts/although_full.lua
if not fenced(KEYS[1], ARGV[1]) then return 0 end
although_full(KEYS[1])
redis.call(ARGV[2], KEYS[2], unpack(ARGV, 3))
return 1
