-- Find dead letters. Changes nothing.
-- KEYS  1 dead letters
-- ARGV  1 command: XRANGE or XREVRANGE, 2 id to begin at, 3 id to end at (each as the command takes it), 4 most letters
--       to look at, 5 most to give, 6 bytes of records to look at before it is enough, 7 '1' if records are wanted,
--       then what they must have, each '' for anything: 8 destination, 9 code, 10 lower-case text in the reason
-- Answer  {next, looked, letters}: next is the id of the last letter looked at, '' if there is none behind it; each
--         letter is {id, destination, time_ms, code, reason, response, size of the record, record or ''}.
-- Cost  O(letters looked at), and the copy of their records, however many there are: a few are read at a time, so
--       that it ends soon behind its limit of bytes.
local AT_A_TIME = 8
local command, from, till = ARGV[1], ARGV[2], ARGV[3]
local most, give, bytes = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local with_records = ARGV[7] == '1'
local destination, code, text = ARGV[8], ARGV[9], ARGV[10]

local function fields_of(entry)
  local fields = {}
  for i = 1, #entry[2], 2 do fields[entry[2][i]] = entry[2][i + 1] end
  return fields
end

local function is_wanted(fields)
  return (destination == '' or fields.destination == destination)
    and (code == '' or fields.code == code)
    and (text == '' or string.find(string.lower(fields.reason), text, 1, true) ~= nil)
end

local found, looked, last = {}, 0, ''
while true do
  local count = math.min(AT_A_TIME, most - looked)
  local some = redis.call(command, KEYS[1], from, till, 'COUNT', count)
  for i = 1, #some do
    local fields = fields_of(some[i])
    looked, last, bytes = looked + 1, some[i][1], bytes - #fields.record
    if is_wanted(fields) then
      found[#found + 1] = {last, fields.destination, fields.time_ms, fields.code, fields.reason, fields.response,
        #fields.record, with_records and fields.record or ''}
      if #found == give then return {last, looked, found} end
    end
  end
  if #some < count then return {'', looked, found} end
  if looked == most or bytes <= 0 then return {last, looked, found} end
  from = '(' .. last
end
