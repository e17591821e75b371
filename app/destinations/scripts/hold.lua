-- Put updates of some profiles into a waiting room, once.
-- KEYS  1 lane, 2 accepted marks of the window that they are taken out of, 3 room, 4 room's meta, 5 ids in the room
-- ARGV  1 token, 2 mark of this part of the window, 3 change-log sequence and 4 time (ms) that end the wait,
--       5 '1' if it is the window's last part, 6 bytes, 7 updates, 8 ids as JSON, then the ids
-- Answer  1, or 0 when the lane is no longer ours. The mark being there already means that this was done.
-- Cost  O(ids log(ids in the room)); the caller hands over 250 ids at most.
--! include lanes/scripts/fence.lua
--! include store/scripts/although_full.lua
local accepted, meta, ids = KEYS[2], KEYS[4], KEYS[5]
if not fenced(KEYS[1], ARGV[1]) then return 0 end
if redis.call('SISMEMBER', accepted, ARGV[2]) == 1 then return 1 end
although_full(meta)
local sequence = redis.call('HINCRBY', meta, 'sequence', 1)
redis.call('XADD', KEYS[3], string.format('%.0f-0', sequence), 'needs', ARGV[3], 'until_ms', ARGV[4],
  'last', ARGV[5], 'bytes', ARGV[6], 'updates', ARGV[7], 'ids', ARGV[8])
redis.call('HINCRBY', meta, 'bytes', ARGV[6])
if ARGV[5] == '1' then redis.call('HSET', meta, 'ready', string.format('%.0f', sequence)) end
local scored = {}
for i = 9, #ARGV do
  scored[#scored + 1] = sequence
  scored[#scored + 1] = ARGV[i]
end
redis.call('ZADD', ids, unpack(scored))
redis.call('SADD', accepted, ARGV[2])
return 1
