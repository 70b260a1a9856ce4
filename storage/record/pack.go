package record

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"sync"
)

// A packed record is one byte that names its form, the CRC-32 (IEEE) of what was
// packed, and that, deflated after the words of its form. The records of a store
// are small, many and alike: so they take a third to a tenth. A form's words never
// change: what was packed after others cannot be read with these; other words are
// another form.
type form struct {
	id      byte
	words   string
	writers sync.Pool // lent and not kept: each holds half a megabyte of scratch memory
	readers sync.Pool
}

// The forms. What begins with a byte above the last of them is not packed.
const (
	packedFact    = 1
	packedEvent   = 2
	packedPosting = 3
	packedLifted  = 4 // an event after lift
	lastForm      = 7
)

var (
	factForm    = newForm(packedFact, factWords)
	eventForm   = newForm(packedEvent, eventWords)
	postingForm = newForm(packedPosting, postingWords)
	liftedForm  = newForm(packedLifted, eventWords)
)

// maxPacked bounds what a packed record may unfold to, in bytes: what is larger is
// not packed.
const maxPacked = 1 << 20

func newForm(id byte, words string) *form {
	f := &form{id: id, words: words}
	f.writers.New = func() any {
		w, err := flate.NewWriterDict(io.Discard, flate.DefaultCompression, []byte(words))
		if err != nil {
			panic("deflate: " + err.Error()) // only of a level that does not exist
		}
		return w
	}
	f.readers.New = func() any { return flate.NewReaderDict(bytes.NewReader(nil), []byte(words)) }
	return f
}

func (f *form) pack(raw []byte) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(64 + len(raw)/3)
	b.WriteByte(f.id)
	b.Write(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(raw)))
	w := f.writers.Get().(*flate.Writer)
	defer f.writers.Put(w)
	w.Reset(&b)
	if _, err := w.Write(raw); err != nil {
		return nil, fmt.Errorf("deflate: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("deflate: %w", err)
	}
	return b.Bytes(), nil
}

var errForm = errors.New("a record of an unknown form")

func (f *form) unpack(b []byte) ([]byte, error) {
	if len(b) < 5 || b[0] != f.id {
		return nil, errForm
	}
	r := f.readers.Get().(io.Reader)
	defer f.readers.Put(r)
	if err := r.(flate.Resetter).Reset(bytes.NewReader(b[5:]), []byte(f.words)); err != nil {
		return nil, fmt.Errorf("inflate: %w", err)
	}
	var out bytes.Buffer
	out.Grow(8 * len(b))
	if _, err := out.ReadFrom(io.LimitReader(r, maxPacked+1)); err != nil {
		return nil, fmt.Errorf("inflate: %w", err)
	}
	if out.Len() > maxPacked || crc32.ChecksumIEEE(out.Bytes()) != binary.BigEndian.Uint32(b[1:5]) {
		return nil, errors.New("the record is not what was written")
	}
	return out.Bytes(), nil
}

// shrink packs raw where that makes it smaller. What would be taken for packed is
// packed in any case.
func (f *form) shrink(raw []byte) ([]byte, error) {
	looksPacked := len(raw) > 0 && raw[0] <= lastForm
	if len(raw) > maxPacked {
		if looksPacked {
			return nil, fmt.Errorf("a record of %d bytes is too large", len(raw))
		}
		return raw, nil
	}
	b, err := f.pack(raw)
	if err == nil && len(b) >= len(raw) && !looksPacked {
		return raw, nil
	}
	return b, err
}

func (f *form) unfold(b []byte) ([]byte, error) {
	if len(b) == 0 || b[0] > lastForm {
		return b, nil
	}
	return f.unpack(b)
}

// PackPosting is a posting's body as a store whose memory is dear keeps it.
func PackPosting(body []byte) ([]byte, error) { return postingForm.shrink(body) }

// Posting is the body that PackPosting was given, or one of an earlier release.
func Posting(b []byte) ([]byte, error) { return postingForm.unfold(b) }
