-- Note that the copy of a cohort may differ from Mixpanel's, unless something like that is noted already.
-- KEYS  1 cohort
-- ARGV  1 why, 2 the resync that is under way as it is to be from now on, '' without one
-- Answer  1; 0 without such a cohort, or where it was noted already.
-- Cost  O(1).
--! include store/scripts/although_full.lua
local suspect = redis.call('HGET', KEYS[1], 'suspect')
if not suspect then return 0 end
although_full(KEYS[1])
if ARGV[2] ~= '' then redis.call('HSET', KEYS[1], 'resync', ARGV[2]) end
if suspect ~= '' then return 0 end
redis.call('HSET', KEYS[1], 'suspect', ARGV[1])
return 1
