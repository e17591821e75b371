-- Append one event to the log, on behalf of a destination.
-- KEYS  1 log, 2 log meta, then the lanes to wake
-- ARGV  1 candidate for the generation, then the entry's names and values
-- Answer  {sequence, wake number of each lane}
-- Cost  O(1).
--! include store/scripts/now.lua
--! include lanes/scripts/queue.lua
--! include cohorts/scripts/log.lua
--! include store/scripts/although_full.lua
although_full(KEYS[2])
local now = now_ms()
local answer = {(append_entries(KEYS[1], KEYS[2], ARGV[1], 1, 2, now))}
for i = 3, #KEYS do answer[#answer + 1] = wake_lane(KEYS[i], now) end
return answer
