-- Let what was stopped or paused deliver again, at once. Not fenced: a person may ask for it at any time.
-- KEYS  1 lane, then destinations (the lane's, and its waiting room's)
-- Answer  {1 if any of them was stopped, 1 if any was paused, wake number of the lane or 0}
-- Cost  O(destinations).
--! include store/scripts/now.lua
--! include lanes/scripts/queue.lua
--! include store/scripts/although_full.lua
local stopped, paused, wake = 0, 0, 0
local states = {}
for i = 2, #KEYS do
  states[i] = redis.call('HMGET', KEYS[i], 'state', 'paused_ms')
  if states[i][1] == 'stopped' then stopped = 1 end
  if states[i][2] then paused = 1 end
end
if stopped + paused == 0 then return {0, 0, 0} end
local lane = redis.call('HGET', KEYS[1], 'state')
although_full(KEYS[1])
local now = now_ms()
for i = 2, #KEYS do
  if states[i][1] == 'stopped' then
    redis.call('HSET', KEYS[i], 'state', 'retrying', 'since_ms', string.format('%.0f', now))
  end
  redis.call('HDEL', KEYS[i], 'refused', 'paused_ms', 'paused_by', 'paused_why')
end
if not lane or lane == 'idle' or lane == 'waiting' then wake = queue_lane(KEYS[1], now) end
return {stopped, paused, wake}
