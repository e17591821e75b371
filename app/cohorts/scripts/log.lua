-- append_log(log, meta, generation, entry): append one entry under the next sequence, and return that.
-- The log's generation is given once; the candidate passed in is used if there is none yet.
local function append_log(log, meta, candidate, entry)
  local generation = redis.call('HGET', meta, 'generation')
  if not generation then
    generation = candidate
    redis.call('HSET', meta, 'generation', generation)
  end
  local sequence = redis.call('HINCRBY', meta, 'sequence', 1)
  redis.call('XADD', log, string.format('%.0f-0', sequence), 'generation', generation, unpack(entry))
  return sequence
end
