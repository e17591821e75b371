-- append_log(log, meta, generation, entry, now): append one entry under the next sequence, and return that.
-- append_entries(log, meta, generation, count, at, now): append so many entries that stand in ARGV from `at` on, 14
-- values (names and values) each; return the last one's sequence (0 without any) and what comes behind them in ARGV.
-- The log's generation is given once; the candidate passed in is used if there is none yet. Each entry says when
-- it was written, and how many bytes of entries had been written before it: how much lies behind any place is a
-- subtraction.
local function append_log(log, meta, candidate, entry, now)
  local generation = redis.call('HGET', meta, 'generation')
  if not generation then
    generation = candidate
    redis.call('HSET', meta, 'generation', generation)
  end
  local size = 0
  for _, value in ipairs(entry) do size = size + #value end
  local before = redis.call('HINCRBY', meta, 'bytes', size) - size
  local sequence = redis.call('HINCRBY', meta, 'sequence', 1)
  redis.call('XADD', log, string.format('%.0f-0', sequence), 'generation', generation,
    'written_ms', string.format('%.0f', now), 'before', string.format('%.0f', before), unpack(entry))
  return sequence
end

local function append_entries(log, meta, candidate, count, at, now)
  local last = 0
  for _ = 1, count do
    last = append_log(log, meta, candidate, {unpack(ARGV, at, at + 13)}, now)
    at = at + 14
  end
  return last, at
end
