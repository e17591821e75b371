-- Remember the window that is about to be sent, so that a later try repeats this one.
-- KEYS  1 lane, 2 destination
-- ARGV  1 token, 2 cursor that the window begins after, 3 last sequence of the window, 4 rules and 5 what
--       else the plan rests on (JSON)
-- Answer  1, or 0 when the lane is no longer ours or the cursor is elsewhere.
-- Cost  O(1).
--! include lanes/scripts/fence.lua
--! include store/scripts/although_full.lua
local destination = KEYS[2]
if not fenced(KEYS[1], ARGV[1]) then return 0 end
if (redis.call('HGET', destination, 'cursor') or '0') ~= ARGV[2] then return 0 end
although_full(destination)
redis.call('HSET', destination, 'window_end', ARGV[3], 'window_rules', ARGV[4], 'window_known', ARGV[5])
return 1
