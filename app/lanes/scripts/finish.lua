-- End a run: go idle, queue the lane again if there is more, or let it wait.
-- KEYS  1 lane, 2 and 3 what has_work looks at
-- ARGV  1 token, 2 kind of work, 3 'drained' | 'more' | 'later', 4 delay in ms, 5 reason to wait
-- Answer  the new wake number when the lane was queued again, else 0; -1 when the lane is no longer ours.
-- Cost  O(1).
--! include lanes/scripts/fence.lua
--! include store/scripts/now.lua
--! include lanes/scripts/queue.lua
--! include lanes/scripts/work.lua
--! include store/scripts/although_full.lua
local lane = KEYS[1]
if not fenced(lane, ARGV[1]) then return -1 end
although_full(lane)
local now = now_ms()
local at = string.format('%.0f', now)
local more = ARGV[3] == 'more' or (ARGV[3] == 'drained' and has_work(ARGV[2], KEYS[2], KEYS[3], now))
redis.call('HSET', lane, 'inflight', '0', 'reason', ARGV[5])
if ARGV[3] == 'later' then
  redis.call('HSETNX', lane, 'hindered', at) -- kept until a run gets on: since when it waits, with tries between
  redis.call('HSET', lane, 'state', 'waiting', 'due', string.format('%.0f', now + tonumber(ARGV[4])))
  return 0
end
redis.call('HDEL', lane, 'hindered')
if more then return queue_lane(lane, now) end
redis.call('HSET', lane, 'state', 'idle', 'since', at)
return 0
