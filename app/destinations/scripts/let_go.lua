-- Let a project go on that was held, at once. Not fenced: a person may ask for it at any time.
-- KEYS  1 the project's hash, then its lanes
-- ARGV  1 'paused' | 'closed'
-- Answer  {1 if it was held so, then for each lane its wake number or 0}
-- Cost  O(lanes).
--! include store/scripts/now.lua
--! include lanes/scripts/queue.lua
--! include store/scripts/although_full.lua
local what = ARGV[1]
local answer = {redis.call('HEXISTS', KEYS[1], what .. '_ms')}
local states = {}
for i = 2, #KEYS do
  answer[i] = 0
  states[i] = redis.call('HGET', KEYS[i], 'state')
end
if answer[1] == 0 then return answer end
although_full(KEYS[1])
redis.call('HDEL', KEYS[1], what .. '_ms', what .. '_by', what .. '_why', what .. '_left')
local now = now_ms()
for i = 2, #KEYS do
  if states[i] == 'waiting' then answer[i] = queue_lane(KEYS[i], now) end
end
return answer
