-- Give a request's lease back; where it never reached Mixpanel, also what it took of the windows.
--
-- KEYS[1]  sorted set: id of a request under way -> when (us) its lease ends
-- KEYS[2+] sorted set of each window: id of a request -> when (us) it began
-- ARGV     id, 1 if the request never reached Mixpanel [, now in us: tests only]
-- Answer   now in us
-- Cost     O(log n)
local now_us
if ARGV[3] then
  now_us = tonumber(ARGV[3])
else
  local time = redis.call('TIME')
  now_us = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
redis.call('ZREM', KEYS[1], ARGV[1])
if ARGV[2] == '1' then
  for number = 2, #KEYS do
    redis.call('ZREM', KEYS[number], ARGV[1])
  end
end
return now_us
