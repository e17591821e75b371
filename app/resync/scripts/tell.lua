-- Replace what the audit knows of a cohort, and tell the log of it, on behalf of the lane's holder.
-- KEYS  1 lane, 2 what the audit knows, 3 log, 4 log meta, then the lanes that read the log
-- ARGV  1 token, 2 candidate for the log's generation, 3 field, 4 what it holds ('' for nothing), 5 what it is to hold
--       ('' to drop it), then an entry's names and values, where the log is to be told
-- Answer  {1, wake number of each reader if the log was told}; {0} when the lane is no longer ours; {-1} when the field
--         holds something else.
-- Cost  O(1).
--! include lanes/scripts/fence.lua
--! include store/scripts/now.lua
--! include lanes/scripts/queue.lua
--! include cohorts/scripts/log.lua
--! include store/scripts/although_full.lua
if not fenced(KEYS[1], ARGV[1]) then return {0} end
if (redis.call('HGET', KEYS[2], ARGV[3]) or '') ~= ARGV[4] then return {-1} end
although_full(KEYS[1])
if ARGV[5] == '' then
  redis.call('HDEL', KEYS[2], ARGV[3])
else
  redis.call('HSET', KEYS[2], ARGV[3], ARGV[5])
end
local answer = {1}
if #ARGV > 5 then
  local now = now_ms()
  append_log(KEYS[3], KEYS[4], ARGV[2], {unpack(ARGV, 6)}, now)
  for i = 5, #KEYS do answer[#answer + 1] = wake_lane(KEYS[i], now) end
end
return answer
