package steps

import (
	"fmt"
	"sync"
)

// An output keeps the first half and the last half of what is written to it, and
// counts the rest, so that a step that never stops talking costs 1 MiB.
type output struct {
	mu    sync.Mutex
	head  []byte
	tail  []byte // a ring once it is full
	next  int    // where the ring continues
	total int64
}

const (
	maxOutput  = 1 << 20 // bytes that are kept
	halfOutput = maxOutput / 2
)

// Write never fails and never waits.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := len(b)
	o.total += int64(n)
	if room := halfOutput - len(o.head); room > 0 {
		room = min(room, len(b))
		o.head = append(o.head, b[:room]...)
		b = b[room:]
	}
	if skip := len(b) - halfOutput; skip > 0 {
		b = b[skip:]
	}
	if room := halfOutput - len(o.tail); room > 0 && len(b) > 0 {
		room = min(room, len(b))
		o.tail = append(o.tail, b[:room]...)
		b = b[room:]
	}
	for len(b) > 0 {
		copied := copy(o.tail[o.next:], b)
		o.next = (o.next + copied) % halfOutput
		b = b[copied:]
	}
	return n, nil
}

// bytes is what was kept, with a note where something is missing.
func (o *output) bytes() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	b := append([]byte(nil), o.head...)
	if missing := o.total - int64(len(o.head)) - int64(len(o.tail)); missing > 0 {
		b = append(b, leftOut(int(missing))...)
	}
	b = append(b, o.tail[o.next:]...)
	return append(b, o.tail[:o.next]...)
}

// lost is how many more bytes than it has an output had before it was cut: the
// number stands at one place only, so that nothing a program prints can pass for it.
func lost(s string) int {
	if len(s) <= maxOutput {
		return 0
	}
	var n int
	if _, err := fmt.Sscanf(s[halfOutput:], leftOutForm, &n); err != nil {
		return 0
	}
	return n - len(leftOut(n))
}

const leftOutForm = "\n[… %d bytes …]\n"

// leftOut stands for n bytes that are not there.
func leftOut(n int) string { return fmt.Sprintf(leftOutForm, n) }
