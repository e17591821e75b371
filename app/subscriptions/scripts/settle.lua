-- Note what came of a turn, or of a part of it, and go on with it or end it.
-- KEYS  1 turns, 2 places, 3 subscription in the project, 4 its deliveries, 5 counts of all
-- ARGV  1 subscription, 2 token of the turn; 3 what comes next and 4 in how many ms: 'on' (a lease), 'away', 'failing',
--       or 'ready' (4: sequence), 'out'; 5 sequence of its place, '' to keep it, 'none' for no place; 6 a delivery, or '';
--       7 how many deliveries to keep, 8 for how long (ms); 9 what 'away' adds, 10 what 'failing' adds;
--       11 how many of the fields that follow to set (name, value), then those, then how many to count (name, by; of all,
--       too), then those, then fields to drop
-- Answer  the score by now, the token of a turn that goes on; -1 when it is somebody else's turn, or nobody's
-- Cost  O(log(subscriptions)).
--! include store/scripts/now.lua
--! include store/scripts/although_full.lua
local name = ARGV[1]
local held = redis.call('ZSCORE', KEYS[1], name)
if not held or tonumber(held) ~= tonumber(ARGV[2]) then return -1 end
although_full(KEYS[3])
local now, score = now_ms(), 0
if ARGV[3] == 'on' or ARGV[3] == 'away' then
  score = tonumber(ARGV[9]) + now + tonumber(ARGV[4])
elseif ARGV[3] == 'failing' then
  score = tonumber(ARGV[10]) + now + tonumber(ARGV[4])
elseif ARGV[3] == 'ready' then
  score = tonumber(ARGV[4])
end
if ARGV[3] == 'out' then
  redis.call('ZREM', KEYS[1], name)
else
  redis.call('ZADD', KEYS[1], string.format('%.0f', score), name)
end
if ARGV[5] == 'none' then
  redis.call('ZREM', KEYS[2], name)
elseif ARGV[5] ~= '' then
  redis.call('ZADD', KEYS[2], ARGV[5], name)
end
if ARGV[6] ~= '' then
  redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[7], '*', 'delivery', ARGV[6])
  redis.call('PEXPIRE', KEYS[4], ARGV[8])
end
local at = 12
for _ = 1, tonumber(ARGV[11]) do
  redis.call('HSET', KEYS[3], ARGV[at], ARGV[at + 1])
  at = at + 2
end
local counted = tonumber(ARGV[at])
at = at + 1
for _ = 1, counted do
  redis.call('HINCRBY', KEYS[3], ARGV[at], ARGV[at + 1])
  if ARGV[at + 1] ~= '0' then redis.call('HINCRBY', KEYS[5], ARGV[at], ARGV[at + 1]) end
  at = at + 2
end
for i = at, #ARGV do redis.call('HDEL', KEYS[3], ARGV[i]) end
return score
