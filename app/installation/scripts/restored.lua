-- Begin a new generation of a project's log, and let nobody who held a lane before write any more.
-- KEYS  1 log meta, then lanes
-- ARGV  1 the new generation, 2 by how much the lanes' tokens and wake numbers grow: more than they can have grown
--       since the backup
-- Answer  the generation before; '' without one.
-- Cost  O(lanes).
--! include store/scripts/although_full.lua
local before = redis.call('HGET', KEYS[1], 'generation') or ''
although_full(KEYS[1])
redis.call('HSET', KEYS[1], 'generation', ARGV[1])
for i = 2, #KEYS do
  redis.call('HINCRBY', KEYS[i], 'token', ARGV[2])
  redis.call('HINCRBY', KEYS[i], 'wake', ARGV[2])
end
return before
