-- Move the links of entries of the change log into the identity outbox, as one submission, and the cursor behind
-- these entries, in one step.
-- KEYS  1 lane, 2 destination, 3 outbox, 4 outbox meta, 5 the outbox's lane
-- ARGV  1 token, 2 cursor before, 3 cursor after, 4 number of links (0: only the cursor moves), 5 their bytes,
--       6 the links (a line each), 7 cap of the outbox in bytes
-- Answer  {1, wake number of the outbox's lane or 0}; {0} when the lane is no longer ours or the cursor is
--         elsewhere; {-1} no room in the outbox.
-- Cost  O(1), and the copy of the links.
--! include lanes/scripts/fence.lua
--! include store/scripts/now.lua
--! include lanes/scripts/queue.lua
--! include store/scripts/although_full.lua
local destination, meta = KEYS[2], KEYS[4]
if not fenced(KEYS[1], ARGV[1]) then return {0} end
if (redis.call('HGET', destination, 'cursor') or '0') ~= ARGV[2] then return {0} end
local links = tonumber(ARGV[4])
local waiting = tonumber(redis.call('HGET', meta, 'bytes') or '0')
if links > 0 and waiting > 0 and waiting + tonumber(ARGV[5]) > tonumber(ARGV[7]) then return {-1} end
although_full(destination)
local now, wake = now_ms(), 0
local time = string.format('%.0f', now)
if links > 0 then
  local sequence = redis.call('HINCRBY', meta, 'sequence', 1)
  redis.call('XADD', KEYS[3], string.format('%.0f-0', sequence), 'time_ms', time,
    'count', ARGV[4], 'bytes', ARGV[5], 'records', ARGV[6])
  redis.call('HINCRBY', meta, 'bytes', ARGV[5])
  redis.call('HINCRBY', meta, 'records', ARGV[4])
  redis.call('HINCRBY', destination, 'delivered', ARGV[4])
  wake = wake_lane(KEYS[5], now)
end
if (redis.call('HGET', destination, 'state') or 'ok') ~= 'ok' then redis.call('HSET', destination, 'since_ms', time) end
redis.call('HSET', destination, 'cursor', ARGV[3], 'state', 'ok', 'advanced_ms', time)
redis.call('HDEL', destination, 'tries', 'reason', 'refused')
return {1, wake}
