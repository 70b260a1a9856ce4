package record

import (
	"encoding/json"
	"fmt"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// encodeFact packs a fact. Those of earlier releases are plain JSON.
func encodeFact(f *incidents.Fact) ([]byte, error) {
	raw, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("encode fact: %w", err)
	}
	if len(raw) > maxPacked {
		return raw, nil
	}
	return factForm.pack(raw)
}

// Fact reads one fact; its number is where it stood. One that cannot be read, for
// it is damaged or of a later release, is no reason to lose those after it: it stays
// where it is, and is told as incidents.FactUnreadable.
func Fact(seq int64, b []byte) incidents.Fact {
	f, err := decodeFact(b)
	if err != nil {
		f = incidents.Fact{Kind: incidents.FactUnreadable}
	}
	f.Seq = seq
	return f
}

func decodeFact(b []byte) (f incidents.Fact, err error) {
	if len(b) > 0 && b[0] == '{' {
		err = json.Unmarshal(b, &f)
		return f, err
	}
	raw, err := factForm.unpack(b)
	if err != nil {
		return f, err
	}
	err = json.Unmarshal(raw, &f)
	return f, err
}
