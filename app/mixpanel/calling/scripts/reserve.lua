-- Make room for an answer among those that are kept, and enter it.
--
-- KEYS[1]  sorted set: kept answer "digest:version:pieces:bytes" -> when (ms) it ends
-- ARGV     the new member, its digest, its bytes, most bytes in all, most answers, when (ms) it ends, now in ms
-- Answer   the members that have to go: those that ended, the digest's earlier ones, and the next to end
-- Cost     O(n log n) in the answers kept, 1,000 at most: a millisecond
local member, digest, size = ARGV[1], ARGV[2], tonumber(ARGV[3])
local most_bytes, most_answers = tonumber(ARGV[4]), tonumber(ARGV[5])
local ends_ms, now_ms = tonumber(ARGV[6]), tonumber(ARGV[7])

local found = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
local total, count, kept, going = size, 1, {}, {}
for i = 1, #found, 2 do
  local one, ends = found[i], tonumber(found[i + 1])
  if ends <= now_ms or string.sub(one, 1, #digest + 1) == digest .. ':' then
    going[#going + 1] = one
  else
    kept[#kept + 1] = one
    total = total + tonumber(string.match(one, ':(%d+)$'))
    count = count + 1
  end
end
local next_to_end = 1
while kept[next_to_end] and (total > most_bytes or count > most_answers) do
  local one = kept[next_to_end]
  going[#going + 1] = one
  total = total - tonumber(string.match(one, ':(%d+)$'))
  count = count - 1
  next_to_end = next_to_end + 1
end

for _, one in ipairs(going) do
  redis.call('ZREM', KEYS[1], one)
end
redis.call('ZADD', KEYS[1], ends_ms, member)
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', tonumber(last[2])))
return going
