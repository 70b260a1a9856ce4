-- The audit is one Stream whose ids are its numbers (7-0), so that its last
-- entry is the head and no other key can disagree with it; owed says which
-- process owes which intent's outcome. Nothing is appended unless the chain ends
-- where the caller thinks.
local seq, mac, n = take(), take(), int()
local log, owed = base .. 'log', base .. 'owed'
local function entry(found)
  if not found then return '0', '' end
  local m = ''
  for i = 1, #found[2], 2 do if found[2][i] == 'm' then m = found[2][i + 1] end end
  return string.match(found[1], '^(%d+)'), m
end
local hseq, hmac = entry(redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1])
local list = {}
for i = 1, n do list[i] = { take(), take(), take(), take(), take() } end
if hseq ~= seq or hmac ~= mac then
  local first = list[1] -- an answer that was lost: it stands there already
  local id = first[1] .. '-0'
  local _, there = entry(redis.call('XRANGE', log, id, id)[1])
  if there == first[2] then return { 'ok' } end
  return { 'moved', hseq, hmac }
end
local ends = {}
for i = 1, n do
  local closes = list[i][5]
  if closes ~= '0' then
    if ends[closes] or redis.call('HEXISTS', owed, closes) == 0 then return { 'closed', closes } end
    ends[closes] = true
  end
end
for i = 1, n do
  local e = list[i]
  redis.call('XADD', log, e[1] .. '-0', 'm', e[2], 'b', e[3])
  if e[4] ~= '' then redis.call('HSET', owed, e[1], e[4]) end
  if e[5] ~= '0' then redis.call('HDEL', owed, e[5]) end
end
return { 'ok' }
