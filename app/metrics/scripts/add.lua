-- Add what a process has counted, once only.
-- KEYS  1 metrics, 2 number of the last addition of this process
-- ARGV  1 number of this addition, 2 lifetime of key 2 in seconds, 3 most fields, then field and number in turn
-- Answer  1; 0 when this addition was there already: the answer was lost on its way.
-- Cost  O(fields), some hundred at the most. Above the most fields new ones are left out: what labels are made of is
--       bounded, and a fault in that must not fill Redis.
if tonumber(redis.call('GET', KEYS[2]) or '0') >= tonumber(ARGV[1]) then return 0 end
local room = tonumber(ARGV[3]) - redis.call('HLEN', KEYS[1])
redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[2])
for i = 4, #ARGV, 2 do
  if room >= #ARGV / 2 or redis.call('HEXISTS', KEYS[1], ARGV[i]) == 1 then
    redis.call('HINCRBYFLOAT', KEYS[1], ARGV[i], ARGV[i + 1])
  end
end
return 1
