-- Copy some entries of a stream to another, in other words where they have changed; of the lane that reads it.
-- KEYS  1 lane, 2 stream, 3 copy
-- ARGV  1 token, 2 id behind which to begin, 3 most entries, then for each that has changed: its id, how many names
--       and values follow, and these
-- Answer  {1, id of the last one that was copied, '' without any}; {0} when the lane is no longer ours.
-- Cost  O(entries and their bytes); callers keep it to 4, of a megabyte each at the most.
--! include lanes/scripts/fence.lua
--! include store/scripts/although_full.lua
if not fenced(KEYS[1], ARGV[1]) then return {0} end
local changed, at = {}, 4
while at <= #ARGV do
  local count = tonumber(ARGV[at + 1])
  changed[ARGV[at]] = {unpack(ARGV, at + 2, at + 1 + count)}
  at = at + 2 + count
end
local found = redis.call('XRANGE', KEYS[2], '(' .. ARGV[2], '+', 'COUNT', ARGV[3])
although_full(KEYS[1])
for _, entry in ipairs(found) do
  redis.call('XADD', KEYS[3], entry[1], unpack(changed[entry[1]] or entry[2]))
end
return {1, #found > 0 and found[#found][1] or ''}
