-- Say what pages were set aside, without their bodies. Changes nothing.
-- KEYS  1 pages set aside
-- ARGV  1 id to begin at, as XRANGE takes it
-- Answer  up to 4 pages, oldest first, each {id, size of its body, name, value, ...}: its other fields.
-- Cost  the copy of the bodies; a few at a time for that.
local answer = {}
for _, page in ipairs(redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', 4)) do
  local told = {page[1], 0}
  for i = 1, #page[2], 2 do
    if page[2][i] == 'body' then
      told[2] = #page[2][i + 1]
    else
      told[#told + 1] = page[2][i]
      told[#told + 1] = page[2][i + 1]
    end
  end
  answer[#answer + 1] = told
end
return answer
