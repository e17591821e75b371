-- Move the cursor over a window whose every record is settled, and forget what was remembered about it.
-- KEYS  1 lane, 2 destination, 3 accepted, 4 log, 5 log meta, then the keys that commands name
-- ARGV  1 token, 2 cursor that the window began after, 3 last sequence of the window, 4 candidate for the log's
--       generation, 5 number of entries to append to the log, then 14 values (names and values) an entry, then what
--       goes with it, as commands: index of the key, number of further arguments, the command's name, the arguments
-- Answer  1, or 0 when the lane is no longer ours or the cursor is elsewhere. Nobody is woken for the entries:
--         the clock sees that lanes have them to pass.
-- Cost  O(1) and the commands'; the set is unlinked.
--! include lanes/scripts/fence.lua
--! include store/scripts/now.lua
--! include cohorts/scripts/log.lua
--! include store/scripts/although_full.lua
local destination = KEYS[2]
if not fenced(KEYS[1], ARGV[1]) then return 0 end
if (redis.call('HGET', destination, 'cursor') or '0') ~= ARGV[2] then return 0 end
although_full(destination)
local now = string.format('%.0f', now_ms())
if (redis.call('HGET', destination, 'state') or 'ok') ~= 'ok' then
  redis.call('HSET', destination, 'since_ms', now)
end
redis.call('HSET', destination, 'cursor', ARGV[3], 'state', 'ok', 'advanced_ms', now)
redis.call('HDEL', destination, 'window_end', 'window_rules', 'window_known', 'window_dead', 'tries', 'reason',
  'refused')
redis.call('UNLINK', KEYS[3])
local _, at = append_entries(KEYS[4], KEYS[5], ARGV[4], tonumber(ARGV[5]), 6, now_ms())
while at <= #ARGV do
  local count = tonumber(ARGV[at + 1])
  redis.call(ARGV[at + 2], KEYS[tonumber(ARGV[at])], unpack(ARGV, at + 3, at + 2 + count))
  at = at + 3 + count
end
return 1
