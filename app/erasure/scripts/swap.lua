-- Let a copy take the place of its stream, if nothing was added since it was made.
-- KEYS  1 lane, 2 stream, 3 copy, 4 what is left over, 5 the stream's meta
-- ARGV  1 token, 2 id of the last entry that was copied, 3 how many bytes the copy has more (or less, negative)
-- Answer  1; -1 when there are newer entries: copy these first; 0 when the lane is no longer ours.
-- Cost  O(1): what is left over is freed elsewhere.
--! include lanes/scripts/fence.lua
--! include store/scripts/although_full.lua
if not fenced(KEYS[1], ARGV[1]) then return 0 end
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
if not last[1] or last[1][1] ~= ARGV[2] then return -1 end
although_full(KEYS[1])
redis.call('RENAME', KEYS[2], KEYS[4])
redis.call('RENAME', KEYS[3], KEYS[2])
redis.call('UNLINK', KEYS[4])
redis.call('HINCRBY', KEYS[5], 'bytes', ARGV[3])
return 1
