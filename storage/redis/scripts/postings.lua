-- By revision, or the last ones by place.
local room, by, bound, max = base .. 'r:' .. take(), take(), int(), int()
local seqs = {}
if by == 'rev' then
  seqs = redis.call('ZRANGE', room .. ':v', '(' .. string.format('%.0f', bound), '+inf', 'BYSCORE', 'LIMIT', 0, max)
else
  local last = redis.call('HLEN', room .. ':b')
  if bound > 0 and bound - 1 < last then last = bound - 1 end
  for seq = math.max(last - max + 1, 1), last do seqs[#seqs + 1] = tostring(seq) end
end
local out = {}
for i, seq in ipairs(seqs) do out[i] = { seq, redis.call('HGET', room .. ':b', seq) } end
return out
