-- queue_lane(lane, now): mark the lane as queued under a new wake number, and return that number.
-- wake_lane(lane, now): the same if the lane is idle, else 0 (it is queued, waits for its time, or runs and
-- will look for more itself before it goes idle).
local function queue_lane(lane, now)
  local wake = redis.call('HINCRBY', lane, 'wake', 1)
  redis.call('HSET', lane, 'state', 'queued', 'due', string.format('%.0f', now))
  return wake
end

local function wake_lane(lane, now)
  local state = redis.call('HGET', lane, 'state')
  if state and state ~= 'idle' then return 0 end
  return queue_lane(lane, now)
end
