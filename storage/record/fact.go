package record

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// A fact is kept as one byte that names its form, the CRC-32 (IEEE) of its JSON,
// and that JSON, deflated after factWords. Facts are small and many: so they take
// about a third. Those of earlier releases are plain JSON.
const packedFact = 1

// maxFact bounds what a packed fact may unfold to, in bytes: what is larger is not
// packed.
const maxFact = 1 << 20

// deflaters are lent and not kept: each holds half a megabyte of scratch memory.
var deflaters = sync.Pool{New: func() any {
	w, err := flate.NewWriterDict(io.Discard, flate.DefaultCompression, []byte(factWords))
	if err != nil {
		panic("deflate: " + err.Error()) // only of a level that does not exist
	}
	return w
}}

func encodeFact(f *incidents.Fact) ([]byte, error) {
	raw, err := json.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("encode fact: %w", err)
	}
	if len(raw) > maxFact {
		return raw, nil
	}
	var b bytes.Buffer
	b.WriteByte(packedFact)
	b.Write(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(raw)))
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	w.Reset(&b)
	if _, err := w.Write(raw); err != nil {
		return nil, fmt.Errorf("deflate fact: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("deflate fact: %w", err)
	}
	return b.Bytes(), nil
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
	if len(b) < 5 || b[0] != packedFact {
		return f, errors.New("a fact of an unknown form")
	}
	raw, err := io.ReadAll(io.LimitReader(flate.NewReaderDict(bytes.NewReader(b[5:]), []byte(factWords)), maxFact))
	if err != nil {
		return f, fmt.Errorf("inflate fact: %w", err)
	}
	if crc32.ChecksumIEEE(raw) != binary.BigEndian.Uint32(b[1:5]) {
		return f, errors.New("the fact is not what was written")
	}
	err = json.Unmarshal(raw, &f)
	return f, err
}
