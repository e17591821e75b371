-- Run one command on behalf of the lane's holder.
-- KEYS  1 lane, 2 the command's key
-- ARGV  1 token, 2 the command's name, then its arguments behind the key
-- Answer  {1, the command's answer}, or {0} when the lane is no longer ours.
-- Cost  the command's.
--! include lanes/scripts/fence.lua
--! include store/scripts/although_full.lua
if not fenced(KEYS[1], ARGV[1]) then return {0} end
although_full(KEYS[1])
return {1, redis.call(ARGV[2], KEYS[2], unpack(ARGV, 3))}
