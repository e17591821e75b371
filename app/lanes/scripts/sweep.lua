-- Wake the lane if it ought to run and nobody is going to run it.
-- KEYS  1 lane, 2 and 3 what has_work looks at
-- ARGV  1 kind of work, 2 patience in ms: how long a queued job may take to begin before somebody looks for it,
--       3 wake number of a job that somebody looked for and did not find, else 0
-- Answer  the new wake number; 0 when all is well; the current wake number, negative, when its job has not
--         begun in time: it waits behind others, or vanished with its worker or with the queue's Redis. Only
--         the queue knows, so the caller looks there. To number it anew while it waits would send the lane to
--         the end of the queue again and again.
-- Cost  O(1).
--! include store/scripts/now.lua
--! include lanes/scripts/queue.lua
--! include lanes/scripts/work.lua
--! include store/scripts/although_full.lua
local lane = KEYS[1]
local now = now_ms()
local seen = redis.call('HMGET', lane, 'state', 'due', 'lease', 'wake')
local state = seen[1] or 'idle'
if state == 'idle' then
  if not has_work(ARGV[1], KEYS[2], KEYS[3], now) then return 0 end
elseif state == 'waiting' then
  if tonumber(seen[2]) > now then return 0 end
elseif state == 'queued' then
  if tonumber(seen[2]) + tonumber(ARGV[2]) > now then return 0 end
  if seen[4] ~= ARGV[3] then return -tonumber(seen[4]) end
elseif tonumber(seen[3]) > now then
  return 0
end
although_full(lane)
if state == 'running' then redis.call('HSET', lane, 'lost', '1') end
return queue_lane(lane, now)
