package find

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// pairs numbers name=value pairs. Each is kept once, all in one slice of bytes
// that the collector need not look into; a map of strings would take four times
// as much.
type pairs struct {
	seed  maphash.Seed
	text  []byte   // of each pair: length of the name, name, value
	ends  []uint32 // where each pair ends in text
	slots []uint32 // hash table, open addressing: a pair's number + 1, or 0
}

// maxText bounds the bytes of all pairs.
const maxText = 512 << 20

func newPairs() *pairs { return &pairs{seed: maphash.MakeSeed(), slots: make([]uint32, 1024)} }

func (p *pairs) len() int { return len(p.ends) }

func (p *pairs) raw(id uint32) (name, value []byte) {
	from := uint32(0)
	if id > 0 {
		from = p.ends[id-1]
	}
	raw := p.text[from:p.ends[id]]
	n, skip := binary.Uvarint(raw)
	raw = raw[skip:]
	return raw[:n], raw[n:]
}

func (p *pairs) get(id uint32) incidents.Label {
	name, value := p.raw(id)
	return incidents.Label{Name: string(name), Value: string(value)}
}

// slot is where the pair stands in the table, or would.
func (p *pairs) slot(l incidents.Label) int {
	mask := len(p.slots) - 1
	for i := int(maphash.Comparable(p.seed, l)) & mask; ; i = (i + 1) & mask {
		if p.slots[i] == 0 {
			return i
		}
		if name, value := p.raw(p.slots[i] - 1); string(name) == l.Name && string(value) == l.Value {
			return i
		}
	}
}

// find is the pair's number, if it has one.
func (p *pairs) find(l incidents.Label) (uint32, bool) {
	at := p.slots[p.slot(l)]
	return at - 1, at > 0
}

// add is the pair's number, a new one if need be.
func (p *pairs) add(l incidents.Label) uint32 {
	i := p.slot(l)
	if p.slots[i] > 0 {
		return p.slots[i] - 1
	}
	if 4*(len(p.ends)+1) > 3*len(p.slots) {
		p.grow()
		i = p.slot(l)
	}
	p.text = append(binary.AppendUvarint(p.text, uint64(len(l.Name))), l.Name...)
	p.text = append(p.text, l.Value...)
	p.ends = append(p.ends, uint32(len(p.text)))
	p.slots[i] = uint32(len(p.ends))
	return p.slots[i] - 1
}

func (p *pairs) grow() {
	p.slots = make([]uint32, 2*len(p.slots))
	for id := range p.ends {
		p.slots[p.slot(p.get(uint32(id)))] = uint32(id) + 1
	}
}

// holding are the pairs whose value holds the word, upper and lower case alike.
func (p *pairs) holding(word string) bits {
	found := make(bits, (p.len()+63)/64)
	lower, upper := []byte(strings.ToLower(word)), []byte(strings.ToUpper(word))
	for id := range p.ends {
		if _, value := p.raw(uint32(id)); holds(value, word, lower, upper) {
			found[id/64] |= 1 << (id % 64)
		}
	}
	return found
}

func holds(value []byte, word string, lower, upper []byte) bool {
	if bytes.Contains(value, lower) {
		return true
	}
	for i := 0; i+len(word) <= len(value); i++ {
		if (value[i] == lower[0] || value[i] == upper[0]) && bytes.EqualFold(value[i:i+len(word)], lower) {
			return true
		}
	}
	return false
}

// bits is a set of pairs.
type bits []uint64

func (b bits) has(id uint32) bool { return b[id/64]&(1<<(id%64)) != 0 }
