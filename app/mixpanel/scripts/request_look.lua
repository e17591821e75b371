-- Read what of a family's budget is in use.
--
-- KEYS[1]  sorted set: id of a request under way -> when (us) its lease ends
-- KEYS[2+] sorted set of each window: id of a request -> when (us) it began
-- ARGV     length of each window in us [, now in us: tests only]
-- Answer   {now in us, requests under way, {beginnings in us} of each window, oldest first}
-- Cost     O(n) in what the windows hold, 60 or so each
local LONGEST_LEASE_US = 3600000000
local windows = #KEYS - 1

local now_us
if ARGV[windows + 1] then
  now_us = tonumber(ARGV[windows + 1])
else
  local time = redis.call('TIME')
  now_us = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local function us(number)
  return string.format('%.0f', number)
end

local answer = { now_us, redis.call('ZCOUNT', KEYS[1], '(' .. us(now_us), us(now_us + LONGEST_LEASE_US)) }
for number = 1, windows do
  local oldest = '(' .. us(now_us - tonumber(ARGV[number]))
  local found = redis.call('ZRANGEBYSCORE', KEYS[1 + number], oldest, us(now_us), 'WITHSCORES')
  local begun = {}
  for i = 2, #found, 2 do
    begun[#begun + 1] = tonumber(found[i])
  end
  answer[#answer + 1] = begun
end
return answer
