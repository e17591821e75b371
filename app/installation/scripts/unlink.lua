-- Remove some keys of a project that is being deleted, and count what went.
-- KEYS  1 that the project is being deleted, then the keys
-- ARGV  1 who wants it, 2 tokens and 3 numbers in the metrics that went besides, then for each key the name under which
--       it is counted
-- Answer  how many of the keys there were.
-- Cost  O(keys), what is large in them is freed by another thread; callers hand over 100 keys at most.
--! include store/scripts/now.lua
--! include store/scripts/although_full.lua
local LENGTH = {hash = 'HLEN', stream = 'XLEN', set = 'SCARD', zset = 'ZCARD', list = 'LLEN'}
local leaving, now = KEYS[1], string.format('%.0f', now_ms())
local lengths, removed = {}, 0
for i = 2, #KEYS do
  local kind = redis.call('TYPE', KEYS[i])['ok']
  if kind ~= 'none' then lengths[i] = LENGTH[kind] and redis.call(LENGTH[kind], KEYS[i]) or 1 end
end
although_full(leaving)
redis.call('HSETNX', leaving, 'since_ms', now)
redis.call('HSETNX', leaving, 'by', ARGV[1])
redis.call('HINCRBY', leaving, 'tokens', ARGV[2])
redis.call('HINCRBY', leaving, 'metrics', ARGV[3])
for i, length in pairs(lengths) do
  redis.call('UNLINK', KEYS[i])
  redis.call('HINCRBY', leaving, 'keys:' .. ARGV[i + 2], 1)
  redis.call('HINCRBY', leaving, 'entries:' .. ARGV[i + 2], length)
  removed = removed + 1
end
return removed
