-- Wake lanes that have a share in an erasure, also those that wait for a time.
-- KEYS  lanes
-- Answer  the new wake number of each; 0 for one that is queued or runs: its next run does its share.
-- Cost  O(lanes).
--! include store/scripts/now.lua
--! include lanes/scripts/queue.lua
--! include store/scripts/although_full.lua
local now, answer, full = now_ms(), {}, false
for i, lane in ipairs(KEYS) do
  local state = redis.call('HGET', lane, 'state') or 'idle'
  answer[i] = 0
  if state == 'idle' or state == 'waiting' then
    if not full then
      although_full(lane)
      full = true
    end
    answer[i] = queue_lane(lane, now)
  end
end
return answer
