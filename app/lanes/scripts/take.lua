-- Take a lane on behalf of a person, while it is held up and nobody runs it.
-- KEYS  1 lane, 2 that the project is being deleted, then hashes, of which one must say that it is paused
-- ARGV  1 lease in ms
-- Answer  {token, 0} when the lane is ours; {0, ms} when it runs, or a request of its last holder may still be on
--         the wire: so long at the most, unless that is renewed; {-1, 0} when nobody has paused it.
-- Cost  O(hashes).
--! include store/scripts/now.lua
--! include store/scripts/although_full.lua
local lane, paused = KEYS[1], false
for i = 3, #KEYS do paused = paused or redis.call('HEXISTS', KEYS[i], 'paused_ms') == 1 end
if not paused or redis.call('EXISTS', KEYS[2]) == 1 then return {-1, 0} end
local now = now_ms()
local seen = redis.call('HMGET', lane, 'state', 'lease', 'inflight')
if seen[1] == 'running' then return {0, math.max(0, tonumber(seen[2]) - now)} end
local inflight = tonumber(seen[3] or '0')
if inflight > now then return {0, inflight - now} end
although_full(lane)
local token = redis.call('HINCRBY', lane, 'token', 1)
redis.call('HSET', lane, 'state', 'running', 'since', string.format('%.0f', now),
  'lease', string.format('%.0f', now + tonumber(ARGV[1])), 'inflight', '0', 'reason', '')
return {token, 0}
