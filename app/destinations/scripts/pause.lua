-- Hold something at an operator's word. Not fenced: a person may ask for it at any time.
-- KEYS  hashes: of destinations (a lane's, and its waiting room's), or of a project
-- ARGV  1 'paused' | 'closed', 2 who, 3 why, then further fields and their values, written the first time only
-- Answer  1 if the first was not held so before, else 0; then the later word counts, and the time of the first.
-- Cost  O(hashes).
--! include store/scripts/now.lua
--! include store/scripts/although_full.lua
local what = ARGV[1]
local known = redis.call('HEXISTS', KEYS[1], what .. '_ms')
local now = string.format('%.0f', now_ms())
although_full(KEYS[1])
for _, hash in ipairs(KEYS) do
  redis.call('HSETNX', hash, what .. '_ms', now)
  redis.call('HSET', hash, what .. '_by', ARGV[2], what .. '_why', ARGV[3])
  for i = 4, #ARGV, 2 do redis.call('HSETNX', hash, ARGV[i], ARGV[i + 1]) end
end
return 1 - known
