-- Read the entries of at most 250 members.
-- KEYS  buckets
-- ARGV  for each bucket in turn: how many members, then their packed ids
-- Answer  the packed entries in that order, false where there is none.
-- Cost  O(members), each a look-up in a hash of about 100.
local answer, at = {}, 1
for _, bucket in ipairs(KEYS) do
  local count = tonumber(ARGV[at])
  local values = redis.call('HMGET', bucket, unpack(ARGV, at + 1, at + count))
  for i = 1, count do answer[#answer + 1] = values[i] end
  at = at + count + 1
end
return answer
