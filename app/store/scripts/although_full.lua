-- although_full(hash): from here on this script writes even while Redis is at its maxmemory.
-- Redis refuses a command that could take memory only as the first write of a script. So an idle write that
-- takes none (the empty field is in no hash of ours) goes before it. It is for what works off what waits:
-- taking in another page stays refused, and without this so would be all that makes room again. How much may
-- come on top is bounded: what waits in the inbox, turned into members and log entries.
local function although_full(hash)
  redis.call('HDEL', hash, '')
end
