-- Note that a process lives, by the server's clock: those of the machines may differ.
-- KEYS  1 heartbeats
-- ARGV  1 name of the process
-- Answer  nil
-- Cost  O(1).
--! include store/scripts/now.lua
--! include store/scripts/although_full.lua
although_full(KEYS[1])
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now_ms()))
