-- has_work(kind, a, b, now): is there something for the lane to do?
--   'inbox':    a page waits in the stream a, or a cohort of the sorted set b is due.
--   'due':      a member of the sorted set b is due.
--   'sequence': what is read (log or outbox, its hash being a) goes on beyond the cursor in the hash b.
local function has_work(kind, a, b, now)
  if kind == 'inbox' and redis.call('XLEN', a) > 0 then return true end
  if kind == 'inbox' or kind == 'due' then
    local first = redis.call('ZRANGE', b, 0, 0, 'WITHSCORES')
    return first[2] ~= nil and tonumber(first[2]) <= now
  end
  local last = tonumber(redis.call('HGET', a, 'sequence') or '0')
  return last > tonumber(redis.call('HGET', b, 'cursor') or '0')
end
