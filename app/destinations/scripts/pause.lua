-- Pause what delivers, at an operator's word. Not fenced: a person may ask for it at any time.
-- KEYS  destinations (a lane's, and its waiting room's)
-- ARGV  1 who, 2 why
-- Answer  1 if the first was not paused before, else 0; then the later word counts, and the time of the first.
-- Cost  O(destinations).
--! include store/scripts/now.lua
--! include store/scripts/although_full.lua
local known = redis.call('HEXISTS', KEYS[1], 'paused_ms')
local now = string.format('%.0f', now_ms())
although_full(KEYS[1])
for _, destination in ipairs(KEYS) do
  redis.call('HSETNX', destination, 'paused_ms', now)
  redis.call('HSET', destination, 'paused_by', ARGV[1], 'paused_why', ARGV[2])
end
return 1 - known
