package logs

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// kind says what a line turned out to be.
type kind int

const (
	whole kind = iota
	tooLong
	binary
)

// cleaner keeps the room that lines are cleaned in.
type cleaner struct{ out []byte }

// clean takes terminal colours and control characters out and cuts at limit.
// What is no text becomes one line that says how long it was, so that a dump in
// a log is one template and not a thousand. Bytes that are no UTF-8 (Latin-1,
// Shift_JIS, half a character) are letters like others. The result is valid
// until the next call.
func (c *cleaner) clean(line []byte, limit int) ([]byte, kind) {
	size, k := len(line), whole
	if len(line) > limit {
		line, k = line[:limit], tooLong
	}
	if wide, ok := fromUTF16(line); ok {
		line = wide
	}
	if bytes.IndexFunc(line, unusual) < 0 {
		return line, k
	}
	c.out = c.out[:0]
	odd := 0
	for i := 0; i < len(line); {
		b := line[i]
		switch {
		case b == 0x1b:
			i += escapeLen(line[i:])
			continue
		case b == '\t' || b == '\r' || b == '\n':
			b = ' '
		case b < 0x20 || b == 0x7f:
			odd++
			b = ' '
		}
		c.out, i = append(c.out, b), i+1
	}
	if odd*10 > len(line) {
		return append(append(append(c.out[:0], "(binary, "...), strconv.Itoa(size)...), " bytes)"...), binary
	}
	return c.out, k
}

func unusual(r rune) bool { return r < 0x20 || r == 0x7f }

// escapeLen is the length of a terminal's escape sequence (ECMA-48): CSI to its
// final byte, OSC to its end, otherwise two bytes.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return len(b)
	}
	switch b[1] {
	case '[':
		for i := 2; i < len(b); i++ {
			if b[i] >= 0x40 && b[i] <= 0x7e {
				return i + 1
			}
		}
		return len(b)
	case ']':
		for i := 2; i < len(b); i++ {
			if b[i] == 7 {
				return i + 1
			}
			if b[i] == 0x1b {
				return min(i+2, len(b))
			}
		}
		return len(b)
	}
	return 2
}

// fromUTF16 reads a line of UTF-16, as Windows writes logs: every second byte of
// its ASCII is 0. A line that was cut at a newline's byte may begin with the 0.
func fromUTF16(line []byte) ([]byte, bool) {
	if len(line) < 4 || bytes.Count(line, []byte{0})*5 < len(line)*2 {
		return nil, false
	}
	line = bytes.TrimPrefix(line, []byte{0xff, 0xfe})
	high := 1
	if bytes.HasPrefix(line, []byte{0xfe, 0xff}) {
		line, high = line[2:], 0
	} else if line[0] == 0 {
		high = 0
	}
	out := make([]byte, 0, len(line)/2)
	for i := 0; i+1 < len(line); i += 2 {
		r := rune(line[i+high])<<8 | rune(line[i+1-high])
		if r == 0 {
			return nil, false
		}
		out = utf8.AppendRune(out, r)
	}
	return out, true
}
