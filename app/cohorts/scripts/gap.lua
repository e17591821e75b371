-- Note what a consumer of the log is missing, once, and tell of it in the log.
-- KEYS  1 log, 2 log meta, 3 gaps
-- ARGV  1 consumer, 2 what was noted of it so far ('' for nothing), 3 what is noted from now on ('' for nothing),
--       4 gaps and 5 entries to count, 6 candidate for the generation, 7 how many entries to append (0 or 1), then
--       the entry's names and values
-- Answer  1, or 0 when something else is noted by now: somebody else did it.
-- Cost  O(1).
--! include store/scripts/now.lua
--! include cohorts/scripts/log.lua
--! include store/scripts/although_full.lua
if (redis.call('HGET', KEYS[3], ARGV[1]) or '') ~= ARGV[2] then return 0 end
although_full(KEYS[2])
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[3], ARGV[1])
else
  redis.call('HSET', KEYS[3], ARGV[1], ARGV[3])
end
redis.call('HINCRBY', KEYS[2], 'gaps', ARGV[4])
redis.call('HINCRBY', KEYS[2], 'missed', ARGV[5])
append_entries(KEYS[1], KEYS[2], ARGV[6], tonumber(ARGV[7]), 8, now_ms())
return 1
