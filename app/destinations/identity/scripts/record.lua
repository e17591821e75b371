-- Write links down, all or nothing: ids, clusters, reasons and counts together, and the entry of the log that tells.
-- KEYS  1 lane, 2 identity meta, 3 log, 4 log meta, then the keys that commands name
-- ARGV  1 token, 2 version of the ledger that this was computed from, 3 candidate for the log's generation, 4 number
--       of entries to append to the log, then 14 values (names and values) an entry, then the commands: index of the
--       key, number of further arguments, the command's name, the arguments
-- Answer  1; 0 when the lane is no longer ours; -1 when the ledger has another version.
-- Cost  O(arguments); callers keep it to about 250 ids.
--! include lanes/scripts/fence.lua
--! include store/scripts/now.lua
--! include cohorts/scripts/log.lua
--! include store/scripts/although_full.lua
if not fenced(KEYS[1], ARGV[1]) then return 0 end
if (redis.call('HGET', KEYS[2], 'version') or '0') ~= ARGV[2] then return -1 end
although_full(KEYS[1])
local _, at = append_entries(KEYS[3], KEYS[4], ARGV[3], tonumber(ARGV[4]), 5, now_ms())
while at <= #ARGV do
  local key, count = KEYS[tonumber(ARGV[at])], tonumber(ARGV[at + 1])
  redis.call(ARGV[at + 2], key, unpack(ARGV, at + 3, at + 2 + count))
  at = at + 3 + count
end
redis.call('HINCRBY', KEYS[2], 'version', 1)
return 1
