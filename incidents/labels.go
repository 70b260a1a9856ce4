package incidents

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Label is one name=value pair of an alert. Both halves come from outside and
// stay untrusted for ever: escape them where they are shown.
type Label struct {
	Name, Value string
}

// Labels are sorted by name and hold each name once. A slice instead of a map
// keeps 100,000 active alerts within memory, and makes hashing need no sort.
type Labels []Label

// NewLabels sorts pairs. Where a name comes twice the later one wins.
func NewLabels(pairs []Label) Labels {
	slices.SortStableFunc(pairs, func(a, b Label) int { return strings.Compare(a.Name, b.Name) })
	out := pairs[:0]
	for _, p := range pairs {
		if n := len(out); n > 0 && out[n-1].Name == p.Name {
			out[n-1] = p
			continue
		}
		out = append(out, p)
	}
	return Labels(out)
}

// LabelsFromMap is NewLabels for tests and configuration.
func LabelsFromMap(m map[string]string) Labels {
	pairs := make([]Label, 0, len(m))
	for k, v := range m {
		pairs = append(pairs, Label{k, v})
	}
	return NewLabels(pairs)
}

// Get returns the value of name, or "" where it is absent.
func (l Labels) Get(name string) string {
	for i := range l {
		if l[i].Name == name {
			return l[i].Value
		}
	}
	return ""
}

// String writes {a="b", c="d"} for logs and messages; it is not a key (see Key).
func (l Labels) String() string {
	var b strings.Builder
	b.WriteByte('{')
	for i, p := range l {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s=%q", p.Name, p.Value)
	}
	b.WriteByte('}')
	return b.String()
}

// MarshalJSON writes an object, in the order of the names.
func (l Labels) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, p := range l {
		if i > 0 {
			b = append(b, ',')
		}
		name, err := json.Marshal(p.Name)
		if err != nil {
			return nil, fmt.Errorf("encode label name: %w", err)
		}
		value, err := json.Marshal(p.Value)
		if err != nil {
			return nil, fmt.Errorf("encode label value: %w", err)
		}
		b = append(append(append(b, name...), ':'), value...)
	}
	return append(b, '}'), nil
}

// UnmarshalJSON reads an object of strings.
func (l *Labels) UnmarshalJSON(b []byte) error {
	var m map[string]string
	if err := json.Unmarshal(b, &m); err != nil {
		return fmt.Errorf("decode labels: %w", err)
	}
	*l = LabelsFromMap(m)
	return nil
}

// Key is a 128-bit name for a set of strings: the first half of a SHA-256 over
// length-prefixed parts, so that {a="b,c"} and {a="b", …} never meet, and
// nothing from outside ever becomes part of a store's key.
type Key [16]byte

// KeyOf hashes parts in order.
func KeyOf(parts ...string) Key {
	var stack [512]byte
	buf := stack[:0]
	for _, p := range parts {
		buf = binary.BigEndian.AppendUint32(buf, uint32(len(p)))
		buf = append(buf, p...)
	}
	sum := sha256.Sum256(buf)
	return Key(sum[:16])
}

// Key names the label set.
func (l Labels) Key() Key {
	var stack [1024]byte
	buf := stack[:0]
	for _, p := range l {
		buf = binary.BigEndian.AppendUint32(buf, uint32(len(p.Name)))
		buf = append(buf, p.Name...)
		buf = binary.BigEndian.AppendUint32(buf, uint32(len(p.Value)))
		buf = append(buf, p.Value...)
	}
	sum := sha256.Sum256(buf)
	return Key(sum[:16])
}

// Shard spreads keys over n shards.
func (k Key) Shard(n int) int {
	return int(binary.BigEndian.Uint64(k[:8]) % uint64(n))
}

func (k Key) String() string { return hex.EncodeToString(k[:]) }

// MarshalText writes hex.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads hex.
func (k *Key) UnmarshalText(b []byte) error {
	raw, err := hex.DecodeString(string(b))
	if err != nil || len(raw) != len(k) {
		return fmt.Errorf("decode key %q: want %d hex digits", b, 2*len(k))
	}
	copy(k[:], raw)
	return nil
}
