-- Let a copy take the place of its stream, with its consumer groups, if it holds the same entries.
-- KEYS  1 lane, 2 stream, 3 copy, 4 what is left over, then, if its bytes are counted, 5 the stream's meta
-- ARGV  1 token, 2 how many bytes the copy has more (or less, negative)
-- Answer  1; -1 when there are newer entries: copy these first; -2 when entries went: begin anew; -3 when too much is
--         pending in consumer groups; 0 when the lane is no longer ours.
-- Cost  O(what is pending in consumer groups, 2,500 at most); what is left over is freed elsewhere.
--! include lanes/scripts/fence.lua
--! include store/scripts/although_full.lua
local MOST_PENDING = 2500 -- callers look at it before they copy, too
if not fenced(KEYS[1], ARGV[1]) then return 0 end
local stream, copy = KEYS[2], KEYS[3]

local function edge(key, command, from, to)
  local found = redis.call(command, key, from, to, 'COUNT', 1)
  return found[1] and found[1][1] or ''
end

local function read_info(answer)
  local info = {}
  for i = 1, #answer, 2 do info[answer[i]] = answer[i + 1] end
  return info
end

local first = edge(stream, 'XRANGE', '-', '+')
if edge(stream, 'XREVRANGE', '+', '-') ~= edge(copy, 'XREVRANGE', '+', '-') then return -1 end
local groups, pending = {}, 0
for _, answer in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
  local group = read_info(answer)
  groups[#groups + 1] = group
  pending = pending + group['pending']
end
if pending > MOST_PENDING then return -3 end
local more = redis.call('XLEN', copy) - redis.call('XLEN', stream)
if more < 0 then return -2 end
although_full(KEYS[1])
if more > 0 then
  redis.call('XTRIM', copy, 'MINID', '=', first) -- the stream was trimmed meanwhile
  if redis.call('XLEN', copy) ~= redis.call('XLEN', stream) then return -2 end
end
local info = read_info(redis.call('XINFO', 'STREAM', stream))
local last = info['last-generated-id']
if info['entries-added'] then
  redis.call('XSETID', copy, last, 'ENTRIESADDED', info['entries-added'], 'MAXDELETEDID', info['max-deleted-entry-id'])
else
  redis.call('XSETID', copy, last)
end
for _, group in ipairs(groups) do
  local name = group['name']
  if group['entries-read'] then
    redis.call('XGROUP', 'CREATE', copy, name, group['last-delivered-id'], 'ENTRIESREAD', group['entries-read'])
  else
    redis.call('XGROUP', 'CREATE', copy, name, group['last-delivered-id'])
  end
  for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', stream, name)) do
    redis.call('XGROUP', 'CREATECONSUMER', copy, name, read_info(consumer)['name'])
  end
  if group['pending'] > 0 then
    for _, each in ipairs(redis.call('XPENDING', stream, name, '-', '+', group['pending'])) do
      redis.call('XCLAIM', copy, name, each[2], 0, each[1], 'IDLE', each[3], 'RETRYCOUNT', each[4], 'FORCE', 'JUSTID')
    end
  end
end
local lives = redis.call('PTTL', stream)
redis.call('RENAME', stream, KEYS[4])
redis.call('RENAME', copy, stream)
redis.call('UNLINK', KEYS[4])
if lives > 0 then redis.call('PEXPIRE', stream, lives) end
if KEYS[5] then redis.call('HINCRBY', KEYS[5], 'bytes', ARGV[2]) end
return 1
