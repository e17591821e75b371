-- Count a request against a project's rolling 60 s, or say when it will fit.
--
-- KEYS[1]  hash: slot (second modulo 61) -> "second:records:bytes"
-- ARGV     records, bytes, most records, most bytes [, now in microseconds: tests only]
-- Answer   0 when it was counted, else the microseconds after which it fits if nobody else takes anything
-- Cost     O(61), whatever was sent; at most 61 small fields. The key lives two minutes after its last use.
--
-- A whole second is counted until its last microsecond is 60 s old, so no 60 s whatever hold more than the budget. Seconds
-- that lie in the future (the clock was set back) are left out, or they would block the project until it is there again.

--! include store/scripts/although_full.lua
local WINDOW = 60
local SLOTS = WINDOW + 1
local LIFETIME_MS = 120000

local records, bytes = tonumber(ARGV[1]), tonumber(ARGV[2])
local most_records, most_bytes = tonumber(ARGV[3]), tonumber(ARGV[4])

local now_us
if ARGV[5] then
  now_us = tonumber(ARGV[5])
else
  local time = redis.call('TIME')
  now_us = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local now_s = math.floor(now_us / 1000000)

local used_records, used_bytes = 0, 0
local by_second = {}
local fields = redis.call('HGETALL', KEYS[1])
for i = 2, #fields, 2 do
  local second, r, b = string.match(fields[i], '^(%d+):(%d+):(%d+)$')
  second = tonumber(second)
  if second and second >= now_s - WINDOW and second <= now_s then
    by_second[second] = { tonumber(r), tonumber(b) }
    used_records = used_records + tonumber(r)
    used_bytes = used_bytes + tonumber(b)
  end
end

if used_records + records > most_records or used_bytes + bytes > most_bytes then
  for second = now_s - WINDOW, now_s do
    local used = by_second[second]
    if used then
      used_records = used_records - used[1]
      used_bytes = used_bytes - used[2]
      if used_records + records <= most_records and used_bytes + bytes <= most_bytes then
        return (second + SLOTS) * 1000000 - now_us
      end
    end
  end
  return redis.error_reply('ERR the request exceeds the whole budget')
end

although_full(KEYS[1])
local own = by_second[now_s] or { 0, 0 }
redis.call('HSET', KEYS[1], now_s % SLOTS,
  string.format('%d:%.0f:%.0f', now_s, own[1] + records, own[2] + bytes))
redis.call('PEXPIRE', KEYS[1], LIFETIME_MS)
return 0
