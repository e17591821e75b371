-- Drop some buckets of what was read, and note how far that is, on behalf of the lane's holder.
-- KEYS  1 lane, 2 resync, then the buckets
-- ARGV  1 token, then names and values that say how far it is
-- Answer  1; 0 when the lane is no longer ours.
-- Cost  O(buckets), each freed in the background.
--! include lanes/scripts/fence.lua
--! include store/scripts/although_full.lua
if not fenced(KEYS[1], ARGV[1]) then return 0 end
although_full(KEYS[1])
for i = 3, #KEYS do redis.call('UNLINK', KEYS[i]) end
if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('HSET', KEYS[2], unpack(ARGV, 2)) end
return 1
