package kept

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// A piece is a letter that says how it is packed, who wrote it, and the lines.
const (
	plain  = 'p'
	packed = 'z' // by deflate: lines of a log become a tenth

	mostPiece = 128 << 10 // bytes of lines: a ring drops whole pieces
	leastPack = 200       // fewer bytes are not worth it
	mostPlain = 4 << 20   // bytes that a piece may become: nobody writes more

	writeTime = 5 * time.Second
)

// encoder makes pieces. It is for one who writes at a time.
type encoder struct {
	out  bytes.Buffer
	pack *flate.Writer
}

// pieces joins the lines of each ring, in the order in which they came, and cuts
// them where they are too long.
func (e *encoder) pieces(self incidents.Key, batch []*added) ([]incidents.RingItem, error) {
	var order []string
	texts := map[string][]byte{}
	for _, a := range batch {
		for _, l := range a.lines {
			if texts[l.Ring] == nil {
				order = append(order, l.Ring)
			}
			texts[l.Ring] = append(texts[l.Ring], l.Text...)
		}
	}
	var items []incidents.RingItem
	for _, ring := range order {
		for rest := texts[ring]; len(rest) > 0; {
			n := len(rest)
			if n > mostPiece {
				if n = bytes.LastIndexByte(rest[:mostPiece], '\n') + 1; n == 0 {
					return nil, incidents.Fail(incidents.TooLarge, "error.ring_large", "a line is larger than a piece")
				}
			}
			body, err := e.body(self, rest[:n])
			if err != nil {
				return nil, err
			}
			items, rest = append(items, incidents.RingItem{Ring: ring, Body: body}), rest[n:]
		}
	}
	return items, nil
}

func (e *encoder) body(self incidents.Key, lines []byte) ([]byte, error) {
	e.out.Reset()
	if len(lines) < leastPack {
		e.out.WriteByte(plain)
		e.out.Write(self[:])
		e.out.Write(lines)
		return bytes.Clone(e.out.Bytes()), nil
	}
	e.out.WriteByte(packed)
	e.out.Write(self[:])
	var err error
	if e.pack == nil {
		e.pack, err = flate.NewWriter(&e.out, flate.BestSpeed)
	} else {
		e.pack.Reset(&e.out)
	}
	if err == nil {
		_, err = e.pack.Write(lines)
	}
	if err == nil {
		err = e.pack.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("pack lines: %w", err)
	}
	return bytes.Clone(e.out.Bytes()), nil
}

// decode is who wrote a piece, and its lines.
func decode(body []byte) (from incidents.Key, lines []byte, err error) {
	if len(body) < 1+len(from) {
		return from, nil, fmt.Errorf("a piece of %d bytes", len(body))
	}
	form, rest := body[0], body[1+copy(from[:], body[1:]):]
	switch form {
	case plain:
		return from, rest, nil
	case packed:
		lines, err = io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(rest)), mostPlain))
		if err != nil {
			return from, nil, fmt.Errorf("unpack lines: %w", err)
		}
		return from, lines, nil
	}
	return from, nil, fmt.Errorf("a piece of the form %q, which a newer release may know", form)
}

func eachLine(lines []byte, each func([]byte)) {
	for line := range bytes.Lines(lines) {
		each(bytes.TrimSuffix(line, []byte("\n")))
	}
}
