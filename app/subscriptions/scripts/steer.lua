-- Do with a subscription in a project what a person wants. Not fenced: it takes the turn from whoever has it.
-- KEYS  1 turns, 2 places, 3 subscription in the project
-- ARGV  1 subscription, 2 'new' (there must be none), 'old' (there must be one), 3 score of its turn, '' for none,
--       4 sequence of its place, '' to keep it, 5 and 6 what 'away' and 'failing' add to a score,
--       7 how many of the fields that follow to set (name, value), then those, then fields to drop
-- A request that is on its way may last until its lease ends: two at once could arrive in another order. So a turn that
-- is given back (ARGV 3) while a lease lasts begins when that ends; the hash remembers it while it is paused.
-- Answer  1, or 0 when there is one, or none, against what ARGV 2 says; then nothing is changed
-- Cost  O(log(subscriptions)).
--! include store/scripts/now.lua
--! include store/scripts/although_full.lua
local name = ARGV[1]
if (redis.call('HEXISTS', KEYS[3], 'position') == 1) ~= (ARGV[2] == 'old') then return 0 end
if ARGV[2] == 'old' then although_full(KEYS[3]) end
local away, now = tonumber(ARGV[5]), now_ms()
local score = tonumber(redis.call('ZSCORE', KEYS[1], name) or '0')
local busy = tonumber(redis.call('HGET', KEYS[3], 'busy_until_ms') or '0')
if score >= away and score < tonumber(ARGV[6]) then busy = math.max(busy, score - away) end
local is_busy = busy > now
if ARGV[3] == '' then
  redis.call('ZREM', KEYS[1], name)
elseif is_busy then
  redis.call('ZADD', KEYS[1], string.format('%.0f', away + busy + 1), name) -- another token than it had
else
  redis.call('ZADD', KEYS[1], ARGV[3], name)
end
if ARGV[3] == '' and is_busy then
  redis.call('HSET', KEYS[3], 'busy_until_ms', string.format('%.0f', busy))
else
  redis.call('HDEL', KEYS[3], 'busy_until_ms')
end
if ARGV[4] ~= '' then redis.call('ZADD', KEYS[2], ARGV[4], name) end
local at = 8
for _ = 1, tonumber(ARGV[7]) do
  redis.call('HSET', KEYS[3], ARGV[at], ARGV[at + 1])
  at = at + 2
end
for i = at, #ARGV do redis.call('HDEL', KEYS[3], ARGV[i]) end
return 1
