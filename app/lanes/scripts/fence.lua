-- fenced(lane, token): is the lane still held under this token? Asked before the first write of every
-- script that a lane's holder runs, so that a holder who lost its lease changes nothing.
local function fenced(lane, token)
  local held = redis.call('HMGET', lane, 'state', 'token')
  return held[1] == 'running' and held[2] == token
end
