-- Count a request against its family's rolling windows and against those under way, or say when it will fit.
--
-- KEYS[1]  sorted set: id of a request under way -> when (us) its lease ends
-- KEYS[2+] sorted set of each window: id of a request -> when (us) it began
-- ARGV     id, most at once, lease in us, then for each window: most, length in us, 1 if this request counts there
--          [, now in us: tests only]
-- Answer   {us until the windows have room, us until a lease ends if all are taken, now in us}; it was counted where the
--          first two are 0, else nothing was
-- Cost     O(log n) a window; a window holds no more than its most, 60 or so
--
-- A request is in a window from its beginning until the window's length after it, so no span of that length holds more than
-- the most. What lies in the future (the clock was set back) is left out, or it would block until it is there again. Leases
-- end by themselves: a holder that was killed gives nothing back.
local LEASES_LIVE_MS = 7200000
local LONGEST_LEASE_US = 3600000000
local GRACE_MS = 60000

local id, at_once, lease_us = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local windows = #KEYS - 1

local now_us
if ARGV[4 + 3 * windows] then
  now_us = tonumber(ARGV[4 + 3 * windows])
else
  local time = redis.call('TIME')
  now_us = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local function us(number)
  return string.format('%.0f', number)
end

local window_wait_us = 0
for number = 1, windows do
  local key, at = KEYS[1 + number], 1 + 3 * number
  local most, length_us, counts = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), ARGV[at + 2] == '1'
  if counts then
    local oldest = '(' .. us(now_us - length_us)
    local used = redis.call('ZCOUNT', key, oldest, us(now_us))
    if used >= most then
      -- So many of the oldest have to go that one more fits: usually one, more where the most was lowered.
      local last = redis.call('ZRANGEBYSCORE', key, oldest, us(now_us), 'WITHSCORES', 'LIMIT', used - most, 1)
      window_wait_us = math.max(window_wait_us, tonumber(last[2]) + length_us - now_us)
    end
  end
end

local lease_wait_us = 0
local live, longest = '(' .. us(now_us), us(now_us + LONGEST_LEASE_US)
if redis.call('ZCOUNT', KEYS[1], live, longest) >= at_once then
  local first = redis.call('ZRANGEBYSCORE', KEYS[1], live, longest, 'WITHSCORES', 'LIMIT', 0, 1)
  lease_wait_us = tonumber(first[2]) - now_us
end
if window_wait_us > 0 or lease_wait_us > 0 then
  return { window_wait_us, lease_wait_us, now_us }
end

redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', us(now_us))
redis.call('ZREMRANGEBYSCORE', KEYS[1], '(' .. longest, '+inf')
redis.call('ZADD', KEYS[1], us(now_us + lease_us), id)
redis.call('PEXPIRE', KEYS[1], LEASES_LIVE_MS)
for number = 1, windows do
  local key, at = KEYS[1 + number], 1 + 3 * number
  local length_us = tonumber(ARGV[at + 1])
  if ARGV[at + 2] == '1' then
    redis.call('ZREMRANGEBYSCORE', key, '-inf', us(now_us - length_us))
    redis.call('ZREMRANGEBYSCORE', key, '(' .. us(now_us), '+inf')
    redis.call('ZADD', key, us(now_us), id)
    redis.call('PEXPIRE', key, math.ceil(length_us / 1000) + GRACE_MS)
  end
end
return { 0, 0, now_us }
