-- Begin the cursors of readers that have newly something to do at the log's end; forget those of idle ones.
-- KEYS  1 lane, 2 log meta, then for each reader: destination, accepted
-- ARGV  1 token, then for each reader '1' if it reads the log, '0' if it does not
-- Answer  1, or 0 when the lane is no longer ours.
-- Cost  O(readers).
--! include lanes/scripts/fence.lua
--! include store/scripts/although_full.lua
if not fenced(KEYS[1], ARGV[1]) then return 0 end
although_full(KEYS[1])
local sequence = redis.call('HGET', KEYS[2], 'sequence') or '0'
for i = 2, #ARGV do
  local destination, accepted = KEYS[2 * i - 1], KEYS[2 * i]
  if ARGV[i] == '1' then
    redis.call('HSETNX', destination, 'cursor', sequence)
  elseif redis.call('HEXISTS', destination, 'cursor') == 1 then
    redis.call('UNLINK', destination, accepted)
  end
end
return 1
