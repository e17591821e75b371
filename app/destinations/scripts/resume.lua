-- Let a stopped destination try again. Not fenced: a person may ask for it at any time.
-- KEYS  1 destination
-- Answer  1 if it was stopped, else 0.
-- Cost  O(1).
--! include store/scripts/now.lua
--! include store/scripts/although_full.lua
if redis.call('HGET', KEYS[1], 'state') ~= 'stopped' then return 0 end
although_full(KEYS[1])
redis.call('HSET', KEYS[1], 'state', 'retrying', 'since_ms', string.format('%.0f', now_ms()))
redis.call('HDEL', KEYS[1], 'refused')
return 1
