package steps

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

// Tail is the end of what a step says, while it says it. What it gives is as clean
// as what a [Redactor] gives of the whole, however the words came in: it takes
// whole lines only, of each stream by itself, so that a secret is never looked at
// in halves, and it always looks at all that it has.
//
// It holds a bounded piece of the output and never makes who writes wait.
type Tail struct {
	redact  *Redactor
	changed func() // called after each line; may be nil

	mu    sync.Mutex
	lines []byte // whole lines as they came
	cut   bool   // there were more before them
	total int64  // bytes that came in whole lines
	out   partLine
	err   partLine
}

// Bounds of a tail, in bytes.
const (
	tailKept   = 64 << 10 // that are looked at; twice as many at times
	tailMargin = 8 << 10  // at the beginning of a cut tail, where half of a secret may stand: never shown
	tailLine   = 8 << 10  // of one line; of a longer one only its length is told
)

// NewTail makes one; changed is called, at any pace, when there is something new.
func NewTail(redact *Redactor, changed func()) *Tail { return &Tail{redact: redact, changed: changed} }

// partLine is a line that has not ended yet.
type partLine struct {
	tail *Tail
	text []byte
	lost int // bytes of it that were not kept, since it is too long
}

// writers are where standard output and standard error of one try are heard; none
// where nobody listens.
func (t *Tail) writers() (out, err []io.Writer) {
	if t == nil {
		return nil, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.out, t.err = partLine{tail: t}, partLine{tail: t}
	return []io.Writer{&t.out}, []io.Writer{&t.err}
}

// Write implements io.Writer. It never fails.
func (p *partLine) Write(b []byte) (int, error) {
	t := p.tail
	t.mu.Lock()
	before := t.total
	for rest := b; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			end = bytes.LastIndexByte(rest, '\r') // a progress bar draws over its line
		}
		if end < 0 {
			p.hold(rest)
			break
		}
		p.hold(rest[:end])
		p.end()
		rest = rest[end+1:]
	}
	news := t.total > before
	t.mu.Unlock()
	if news && t.changed != nil {
		t.changed()
	}
	return len(b), nil
}

func (p *partLine) hold(b []byte) {
	if p.lost > 0 || len(p.text)+len(b) > tailLine {
		p.lost += len(p.text) + len(b)
		p.text = p.text[:0]
		return
	}
	p.text = append(p.text, b...)
}

// end takes the line over into what is shown; t.mu is held.
func (p *partLine) end() {
	t := p.tail
	if p.lost > 0 {
		t.add([]byte(leftOut(p.lost)), p.lost)
	} else {
		t.add(append(p.text, '\n'), len(p.text)+1)
	}
	p.text, p.lost = p.text[:0], 0
}

func (t *Tail) add(line []byte, came int) {
	t.total += int64(came)
	t.lines = append(t.lines, line...)
	if len(t.lines) > 2*tailKept {
		t.lines = append(t.lines[:0], t.lines[len(t.lines)-tailKept:]...)
		t.cut = true
	}
}

// Text is the last lines, cleaned, at most most bytes of them, and how many bytes
// came before those.
func (t *Tail) Text(most int) (text string, before int64) {
	t.mu.Lock()
	raw, cut, total := string(t.lines), t.cut, t.total
	t.mu.Unlock()
	text = t.redact.Clean(raw)
	whole := int64(len(text))
	if cut {
		whole = max(total, whole)
		text = cutTail(text, max(0, len(text)-tailMargin))
	}
	text = lastLines(text, most)
	return text, whole - int64(len(text))
}

// lastLines is the end of s, at most most bytes, from the beginning of a line on
// where there is one.
func lastLines(s string, most int) string {
	if len(s) <= most {
		return s
	}
	s = cutTail(s, most)
	if _, rest, found := strings.Cut(s, "\n"); found && rest != "" {
		return rest
	}
	return s
}
