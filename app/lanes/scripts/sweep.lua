-- Wake those lanes of a project that ought to run and that nobody is going to run.
-- KEYS  for each lane in turn: the lane, and two keys that has_work looks at
-- ARGV  1 patience in ms: how long a queued job may take to begin before somebody looks for it, then for each lane in
--       turn: kind of work, wake number of a job that somebody looked for and did not find, else 0
-- Answer  for each lane in turn: the new wake number; 0 when all is well; the current wake number, negative, when
--         its job has not begun in time: it waits behind others, or vanished with its worker or with the queue's
--         Redis. Only the queue knows, so the caller looks there. To number it anew while it waits would send the
--         lane to the end of the queue again and again.
-- Cost  O(lanes).
--! include store/scripts/now.lua
--! include lanes/scripts/queue.lua
--! include lanes/scripts/work.lua
--! include store/scripts/although_full.lua
local now, patience = now_ms(), tonumber(ARGV[1])
local RIPE, VANISHED = 'ripe', 'vanished'

local function look(lane, a, b, kind, gone)
  local seen = redis.call('HMGET', lane, 'state', 'due', 'lease', 'wake')
  local state = seen[1] or 'idle'
  if state == 'idle' then
    return has_work(kind, a, b, now) and RIPE or 0
  elseif state == 'waiting' then
    return tonumber(seen[2]) <= now and RIPE or 0
  elseif state == 'queued' then
    if tonumber(seen[2]) + patience > now then return 0 end
    return seen[4] == gone and RIPE or -tonumber(seen[4])
  end
  return tonumber(seen[3]) <= now and VANISHED or 0
end

local answer, full = {}, false
for i = 1, #KEYS / 3 do
  answer[i] = look(KEYS[3 * i - 2], KEYS[3 * i - 1], KEYS[3 * i], ARGV[2 * i], ARGV[2 * i + 1])
end
for i = 1, #answer do
  local lane, found = KEYS[3 * i - 2], answer[i]
  if found == RIPE or found == VANISHED then
    if not full then
      although_full(lane)
      full = true
    end
    if found == VANISHED then redis.call('HSET', lane, 'lost', '1') end
    answer[i] = queue_lane(lane, now)
  end
end
return answer
