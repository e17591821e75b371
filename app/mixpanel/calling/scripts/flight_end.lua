-- End a flight, and say how it failed if it did.
--
-- KEYS[1]  string: token of who is asking
-- KEYS[2]  string: how a flight failed
-- ARGV     token, how it failed (empty: it did not), how long (ms) to keep that
-- Answer   1 if it was ours; 0 if its lease had ended
-- Cost     O(1)
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1])
if ARGV[2] ~= '' then
  redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
end
return 1
