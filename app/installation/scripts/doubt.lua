-- Note that the copy of a cohort may differ from Mixpanel's, unless something like that is noted already.
-- KEYS  1 cohort
-- ARGV  1 why
-- Answer  1; 0 without such a cohort, or where it was noted already.
-- Cost  O(1).
--! include store/scripts/although_full.lua
local suspect = redis.call('HGET', KEYS[1], 'suspect')
if suspect ~= '' then return 0 end
although_full(KEYS[1])
redis.call('HSET', KEYS[1], 'suspect', ARGV[1])
return 1
