-- Take the lane for one run.
-- KEYS  1 lane, 2 that the project is being deleted
-- ARGV  1 wake number of the job, 2 lease in ms
-- Answer  {token, lost} when the lane is ours (lost = 1: the last holder vanished without finishing),
--         {0, ms} when a request of the last holder may still be on the wire (the lane waits that long),
--         {-1, 0} when this wake is out of date, or the project is being deleted.
-- Cost  O(1).
--! include store/scripts/now.lua
--! include store/scripts/although_full.lua
local lane = KEYS[1]
local now = now_ms()
local seen = redis.call('HMGET', lane, 'state', 'wake', 'inflight', 'lost')
if seen[1] ~= 'queued' or seen[2] ~= ARGV[1] then return {-1, 0} end
if redis.call('EXISTS', KEYS[2]) == 1 then return {-1, 0} end
although_full(lane)
local inflight = tonumber(seen[3] or '0')
if inflight > now then
  redis.call('HSET', lane, 'state', 'waiting', 'due', string.format('%.0f', inflight),
    'reason', 'the last holder may have a request in flight')
  redis.call('HSETNX', lane, 'hindered', string.format('%.0f', now))
  return {0, inflight - now}
end
local token = redis.call('HINCRBY', lane, 'token', 1)
redis.call('HSET', lane, 'state', 'running', 'since', string.format('%.0f', now),
  'lease', string.format('%.0f', now + tonumber(ARGV[2])),
  'inflight', '0', 'lost', '0', 'reason', '')
return {token, tonumber(seen[4] or '0')}
