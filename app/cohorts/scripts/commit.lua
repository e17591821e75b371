-- Commit one step of the apply lane, all or nothing: members, log entries and progress together.
-- Everything is checked before the first write; the commands that follow cannot fail on their types, since
-- the keys are ours alone.
-- KEYS  1 lane, 2 cohort, 3 log, 4 log meta, then the lanes to wake, then the keys that commands name
-- ARGV  1 token, 2 steps of the cohort before this one ('' if it needs none), 3 candidate for the generation,
--       4 number of lanes to wake, 5 number of log entries, then 14 values (names and values) an entry,
--       then the commands: index of the key, number of further arguments, the command's name, the arguments
-- Answer  {1, last sequence, wake number of each lane to wake}; {0} when the lane is no longer ours;
--         {-1} when the cohort has come to another step.
-- Cost  O(arguments); callers keep it to about 250 members.
--! include lanes/scripts/fence.lua
--! include store/scripts/now.lua
--! include lanes/scripts/queue.lua
--! include cohorts/scripts/log.lua
--! include store/scripts/although_full.lua
if not fenced(KEYS[1], ARGV[1]) then return {0} end
if ARGV[2] ~= '' and (redis.call('HGET', KEYS[2], 'step') or '0') ~= ARGV[2] then return {-1} end
although_full(KEYS[1])
local lanes, entries = tonumber(ARGV[4]), tonumber(ARGV[5])
local now = now_ms()
local last, at = append_entries(KEYS[3], KEYS[4], ARGV[3], entries, 6, now)
local answer = {1, last}
while at <= #ARGV do
  local key, count = KEYS[tonumber(ARGV[at])], tonumber(ARGV[at + 1])
  redis.call(ARGV[at + 2], key, unpack(ARGV, at + 3, at + 2 + count))
  at = at + 3 + count
end
for i = 1, lanes do
  answer[2 + i] = entries > 0 and wake_lane(KEYS[4 + i], now) or 0
end
return answer
