-- Keep some of those who were read, and note how far the reading is, on behalf of the lane's holder.
-- KEYS  1 lane, 2 resync, then the buckets
-- ARGV  1 token, 2 page that is read, 3 lifetime of a bucket in s, 4 number of values that say how far it is, then
--       these names and values, then for each bucket in turn: how many values, and then ids and properties
-- Answer  1; 0 when the lane is no longer ours; -1 when that page is not what is to be read.
-- Cost  O(members), at most 250.
--! include lanes/scripts/fence.lua
--! include store/scripts/although_full.lua
if not fenced(KEYS[1], ARGV[1]) then return 0 end
local seen = redis.call('HMGET', KEYS[2], 'state', 'page', 'cancel')
if seen[1] ~= 'reading' or (seen[2] or '0') ~= ARGV[2] or seen[3] then return -1 end
although_full(KEYS[1])
local at, new = 5 + tonumber(ARGV[4]), 0
if at > 5 then redis.call('HSET', KEYS[2], unpack(ARGV, 5, at - 1)) end
for i = 3, #KEYS do
  local count = tonumber(ARGV[at])
  new = new + redis.call('HSET', KEYS[i], unpack(ARGV, at + 1, at + count))
  redis.call('EXPIRE', KEYS[i], ARGV[3])
  at = at + 1 + count
end
redis.call('HINCRBY', KEYS[2], 'kept', new)
return 1
