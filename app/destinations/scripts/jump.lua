-- Put a cursor elsewhere, at a person's word: what lies between is skipped, or delivered again.
-- The window that was begun is forgotten with its marks, and what it put into the waiting room is void, but for what
-- the room has begun to send, whose own window is remembered: it is skipped, too, or planned again.
-- KEYS  1 lane, 2 destination, 3 accepted, 4 the waiting room's destination, 5 the room's meta, 6 log, then the keys
--       that commands name
-- ARGV  1 token, 2 cursor before, 3 cursor after, 4 '1' if the log must still have what lies behind that, then
--       commands as of advance.lua
-- Answer  1; 0 when the lane is no longer ours or the cursor is elsewhere; -1 when the log was trimmed meanwhile.
-- Cost  O(parts that the window put into the room; some hundred at the most) and the commands'.
--! include lanes/scripts/fence.lua
--! include store/scripts/now.lua
--! include store/scripts/although_full.lua
local destination, accepted, room = KEYS[2], KEYS[3], KEYS[4]
if not fenced(KEYS[1], ARGV[1]) then return 0 end
local known = redis.call('HMGET', destination, 'cursor', 'state')
if (known[1] or '0') ~= ARGV[2] then return 0 end
if ARGV[4] == '1' then
  local first = redis.call('XRANGE', KEYS[6], '-', '+', 'COUNT', 1)[1]
  if not first or tonumber(string.match(first[1], '^%d+')) > tonumber(ARGV[3]) + 1 then return -1 end
end
local parts = 0
while redis.call('SISMEMBER', accepted, 'w' .. parts) == 1 do parts = parts + 1 end
local last, first, void = 0, 1, nil
if parts > 0 then
  local seen = redis.call('HMGET', room, 'cursor', 'void')
  last = tonumber(redis.call('HGET', KEYS[5], 'sequence') or '0')
  first = math.max(last - parts, tonumber(seen[1] or '0')) + 1
  void = string.format('%.0f-%.0f', first, last)
  local before = seen[2] and tonumber(string.match(seen[2], '(%d+)$'))
  if before and before > tonumber(seen[1] or '0') then void = seen[2] .. ',' .. void end
end
although_full(destination)
local now = string.format('%.0f', now_ms())
redis.call('HSET', destination, 'cursor', ARGV[3], 'advanced_ms', now)
redis.call('HDEL', destination, 'window_end', 'window_rules', 'window_known', 'window_dead', 'tries')
if known[2] == 'retrying' then
  redis.call('HSET', destination, 'state', 'ok', 'since_ms', now)
  redis.call('HDEL', destination, 'reason')
end
redis.call('UNLINK', accepted)
if first <= last then
  redis.call('HSET', room, 'void', void)
  redis.call('HSET', KEYS[5], 'ready', string.format('%.0f', last))
end
local at = 5
while at <= #ARGV do
  local count = tonumber(ARGV[at + 1])
  redis.call(ARGV[at + 2], KEYS[tonumber(ARGV[at])], unpack(ARGV, at + 3, at + 2 + count))
  at = at + 3 + count
end
return 1
