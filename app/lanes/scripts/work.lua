-- has_work(kind, a, b, now): is there something for the lane to do?
--   'inbox':    a page waits in the stream a, or a cohort of the sorted set b is due.
--   'due':      a member of the sorted set b is due.
--   'turns':    the log, its hash being a, goes on beyond the lowest score of the sorted set b, or a time in b has come
--               (app/subscriptions/turns.py says what the scores are).
--   'sequence': what is read (log or outbox, its hash being a) goes on beyond the cursor in the hash b.
local function has_work(kind, a, b, now)
  if kind == 'inbox' and redis.call('XLEN', a) > 0 then return true end
  if kind == 'inbox' or kind == 'due' then
    local first = redis.call('ZRANGE', b, 0, 0, 'WITHSCORES')
    return first[2] ~= nil and tonumber(first[2]) <= now
  end
  local last = tonumber(redis.call('HGET', a, 'sequence') or '0')
  if kind == 'turns' then
    local away = 1000000000000000
    local function any(from, upto)
      return #redis.call('ZRANGEBYSCORE', b, string.format('%.0f', from), upto, 'LIMIT', 0, 1) > 0
    end
    return any(0, string.format('(%.0f', last))
      or any(away, string.format('%.0f', away + now))
      or any(2 * away, string.format('%.0f', 2 * away + now))
  end
  return last > tonumber(redis.call('HGET', b, 'cursor') or '0')
end
