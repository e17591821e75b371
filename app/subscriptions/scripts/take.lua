-- Give turns to subscriptions: note a lease for each, whose score is the turn's token.
-- KEYS  1 turns, 2 log meta
-- ARGV  1 turns at most, 2 of them for failing ones, 3 lease in ms, 4 and 5 what the ranges' scores begin with,
--       6 who has the odd turn where not all get one: '1' for those whose time has come, '0' for those with news
-- Answer  {subscription, token, 1 if the last try failed} for each
-- Cost  O(turns * log(subscriptions)).
--! include store/scripts/now.lua
--! include store/scripts/although_full.lua
local turns, now = KEYS[1], now_ms()
local most, failing_most = tonumber(ARGV[1]), tonumber(ARGV[2])
local away, failing = tonumber(ARGV[4]), tonumber(ARGV[5])
local last = tonumber(redis.call('HGET', KEYS[2], 'sequence') or '0')

local function text(number) return string.format('%.0f', number) end

local taken = {}
local function take(from, upto, limit, failed)
  if limit <= 0 then return end
  local found = redis.call('ZRANGEBYSCORE', turns, text(from), upto, 'LIMIT', 0, limit)
  for _, name in ipairs(found) do taken[#taken + 1] = {name, 0, failed} end
end

take(failing, text(failing + now), math.min(most, failing_most), 1)

-- Half of what is left is for each of the two: neither a few with much to be told nor the many with news keep
-- the others waiting. What one does not use, the other has.
local function many(from, upto, limit)
  if limit <= 0 then return 0 end
  return #redis.call('ZRANGEBYSCORE', turns, text(from), upto, 'LIMIT', 0, limit)
end

local left = most - #taken
local news = '(' .. text(last)
local ready = many(0, news, left)
local half = math.floor((left + tonumber(ARGV[6])) / 2)
take(away, text(away + now), math.max(half, left - ready), 0)
take(0, news, most - #taken, 0)
if #taken == 0 then return taken end
although_full(KEYS[2])
local token = text(away + now + tonumber(ARGV[3]))
for _, each in ipairs(taken) do
  redis.call('ZADD', turns, token, each[1])
  each[2] = token
end
return taken
