-- Accept a page: durable once this has answered.
-- KEYS  1 inbox, 2 inbox meta, 3 waiting digests, 4 apply lane, 5 that the project is being deleted and 6 how
--       it is held (both may be left out)
-- ARGV  1 digest of the page, 2 body, 3 size in bytes, 4 hard cap in bytes
-- Answer  {outcome, bytes waiting, wake number, id}: outcome 1 accepted, 0 a copy of a page that still waits,
--         -1 no room, -2 accepting is stopped, -9 the project is being deleted; id of the page's entry in the
--         inbox, '' without one.
-- Cost  O(1), and the copy of the body.
--! include store/scripts/now.lua
--! include lanes/scripts/queue.lua
--! include store/scripts/although_full.lua
if KEYS[5] and redis.call('EXISTS', KEYS[5]) == 1 then return {-9, 0, 0, ''} end
local size, waiting = tonumber(ARGV[3]), tonumber(redis.call('HGET', KEYS[2], 'bytes') or '0')
local copy_of = redis.call('HGET', KEYS[3], ARGV[1])
if copy_of then
  -- Counted, so that whoever waits for replicas behind this has something to wait for: they may lack the page.
  -- Even at maxmemory: it is safe to say that this page is taken.
  although_full(KEYS[2])
  redis.call('HINCRBY', KEYS[2], 'copies', 1)
  return {0, waiting, 0, copy_of}
end
if KEYS[6] and redis.call('HEXISTS', KEYS[6], 'closed_ms') == 1 then return {-2, waiting, 0, ''} end
if waiting > 0 and waiting + size > tonumber(ARGV[4]) then return {-1, waiting, 0, ''} end
local id = redis.call('XADD', KEYS[1], '*', 'digest', ARGV[1], 'body', ARGV[2])
redis.call('HSET', KEYS[3], ARGV[1], id)
waiting = redis.call('HINCRBY', KEYS[2], 'bytes', size)
redis.call('HINCRBY', KEYS[2], 'accepted', 1)
return {1, waiting, wake_lane(KEYS[4], now_ms()), id}
