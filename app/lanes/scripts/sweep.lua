-- Wake the lane if it ought to run and nobody is going to run it.
-- KEYS  1 lane, 2 and 3 what has_work looks at
-- ARGV  1 kind of work, 2 patience in ms: how long a queued job may take to begin
-- Answer  the new wake number, or 0 when all is well.
-- Cost  O(1).
--! include store/scripts/now.lua
--! include lanes/scripts/queue.lua
--! include lanes/scripts/work.lua
--! include store/scripts/although_full.lua
local lane = KEYS[1]
although_full(lane)
local now = now_ms()
local seen = redis.call('HMGET', lane, 'state', 'due', 'lease')
local state = seen[1] or 'idle'
if state == 'idle' then
  if has_work(ARGV[1], KEYS[2], KEYS[3], now) then return queue_lane(lane, now) end
elseif state == 'waiting' then
  if tonumber(seen[2]) <= now then return queue_lane(lane, now) end
elseif state == 'queued' then
  -- The job vanished with its worker or with the queue's Redis; an extra one is refused by its number.
  if tonumber(seen[2]) + tonumber(ARGV[2]) <= now then return queue_lane(lane, now) end
elseif tonumber(seen[3]) <= now then
  redis.call('HSET', lane, 'lost', '1')
  return queue_lane(lane, now)
end
return 0
