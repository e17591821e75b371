-- Add an entry to an audit log, and let the oldest go.
-- KEYS  1 log, 2 its counts
-- ARGV  1 how many entries to keep, about; 2 how long, in ms; 3 the entry
-- Answer  the entry's id
-- Cost  O(1), and what goes: some hundred entries at once.
--! include store/scripts/now.lua
--! include store/scripts/although_full.lua
-- Who makes room in a full Redis is recorded, too; the cap bounds it.
although_full(KEYS[2])
local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'entry', ARGV[3])
redis.call('XTRIM', KEYS[1], 'MINID', '~', string.format('%.0f', now_ms() - tonumber(ARGV[2])))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('HINCRBY', KEYS[2], 'written', 1)
return id
