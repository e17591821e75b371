-- Forget that ids wait for links: none of the window, up to its last sequence, is left.
-- KEYS  1 lane, 2 pending
-- ARGV  1 token, 2 last sequence of the window, 3... digests
-- Answer  1, or 0 when the lane is no longer ours.
-- Cost  O(ids); the caller hands over 1,000 at most.
--! include lanes/scripts/fence.lua
--! include store/scripts/although_full.lua
if not fenced(KEYS[1], ARGV[1]) then return 0 end
local sequences = redis.call('HMGET', KEYS[2], unpack(ARGV, 3))
local done = {}
for i, sequence in ipairs(sequences) do
  if sequence and tonumber(sequence) <= tonumber(ARGV[2]) then done[#done + 1] = ARGV[i + 2] end
end
although_full(KEYS[1])
if #done > 0 then redis.call('HDEL', KEYS[2], unpack(done)) end
return 1
