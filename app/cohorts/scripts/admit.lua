-- Begin the cursors of readers that have newly something to do at the log's end; forget those of idle ones, in time:
-- a process with older rules may be about to end, and its idle reader another process's busy one.
-- KEYS  1 lane, 2 log meta, then for each reader: destination, accepted, syncs
-- ARGV  1 token, 2 how long (ms) and 3 how many entries an idle reader's cursor is kept, then for each reader '1' if
--       it reads the log, '0' if it does not
-- Answer  1, or 0 when the lane is no longer ours.
-- Cost  O(readers).
--! include lanes/scripts/fence.lua
--! include store/scripts/now.lua
--! include store/scripts/although_full.lua
if not fenced(KEYS[1], ARGV[1]) then return 0 end
local sequence = redis.call('HGET', KEYS[2], 'sequence') or '0'
local known = {}
for i = 4, #ARGV do known[i] = redis.call('HMGET', KEYS[3 * i - 9], 'cursor', 'idle_since_ms') end
although_full(KEYS[1])
local now = now_ms()
for i = 4, #ARGV do
  local destination, accepted, syncs = KEYS[3 * i - 9], KEYS[3 * i - 8], KEYS[3 * i - 7]
  local cursor, idle = known[i][1], known[i][2]
  if ARGV[i] == '1' then
    if not cursor then redis.call('HSET', destination, 'cursor', sequence) end
    if idle then redis.call('HDEL', destination, 'idle_since_ms') end
  elseif cursor then
    local far = tonumber(sequence) - tonumber(cursor) > tonumber(ARGV[3])
    if far or (idle and now - tonumber(idle) >= tonumber(ARGV[2])) then
      redis.call('UNLINK', destination, accepted, syncs)
    elseif not idle then
      redis.call('HSET', destination, 'idle_since_ms', string.format('%.0f', now))
    end
  end
end
return 1
