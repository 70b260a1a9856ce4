package logs

import (
	"bytes"
	"strings"
)

// Wildcard stands in a template for what differs from line to line.
const Wildcard = "<*>"

// masker turns a line into words in which what is a value by its shape alone
// is the wildcard: numbers, hex, addresses, hosts, paths, identifiers, dates,
// amounts with their unit, quoted text of several words. One set of rules for
// every log: a rule for one system would be wrong in the next.
type masker struct {
	line  []byte // the words, one blank between two
	words []span
	word  []byte // the one at work
	host  []byte // room for hosts
}

type span struct{ from, to int }

// at is the i-th word of what was masked last.
func (m *masker) at(i int) []byte { return m.line[m.words[i].from:m.words[i].to] }

// mask reads a line; cut says that it had more than limit words.
func (m *masker) mask(line []byte, limit int) (cut bool) {
	m.line, m.words = m.line[:0], m.words[:0]
	for raw, rest := field(line); len(raw) > 0; raw, rest = field(rest) {
		if len(m.words) == limit {
			m.push([]byte(Wildcard))
			return true
		}
		raw, rest = quoted(raw, rest)
		m.mold(raw)
		switch core := bytes.Trim(raw, ",;()[]"); {
		case isDatePart(core) && beforeDate(rest):
			m.word = append(m.word[:0], Wildcard...)
		case len(m.words) > 0 && isUnit(core) && m.gluesUnit(raw, core):
			continue
		}
		if len(m.words) > 0 && m.repeats() {
			continue
		}
		m.push(m.word)
	}
	return false
}

func (m *masker) push(word []byte) {
	if len(m.words) > 0 {
		m.line = append(m.line, ' ')
	}
	from := len(m.line)
	m.line = append(m.line, word...)
	m.words = append(m.words, span{from, len(m.line)})
}

// repeats says that the word is one more of a list of values: lists differ in
// length from line to line, and a template must not.
func (m *masker) repeats() bool {
	last := m.at(len(m.words) - 1)
	if !isWild(m.word) || !bytes.Equal(bytes.TrimRight(m.word, ","), bytes.TrimRight(last, ",")) {
		return false
	}
	end := &m.words[len(m.words)-1]
	m.line = append(m.line[:end.from], m.word...)
	end.to = len(m.line)
	return true
}

// gluesUnit lets "<*> KB," be "<*>,": an amount is one value, and "<1 sec" is
// the same thing as "00:07".
func (m *masker) gluesUnit(raw, core []byte) bool {
	last := &m.words[len(m.words)-1]
	word := m.line[last.from:last.to]
	if !bytes.HasSuffix(word, []byte(Wildcard)) {
		return false
	}
	before := bytes.TrimSuffix(word, []byte(Wildcard))
	if n := len(before); n > 0 && (before[n-1] == '<' || before[n-1] == '>' || before[n-1] == '~') {
		m.line = append(m.line[:last.to-len(Wildcard)-1], Wildcard...)
	}
	m.line = append(m.line, raw[bytes.Index(raw, core)+len(core):]...)
	last.to = len(m.line)
	return true
}

// mold writes one word's shape to m.word.
func (m *masker) mold(raw []byte) {
	m.word = m.word[:0]
	if plain(raw) {
		m.word = append(m.word, raw...)
		return
	}
	for i := 0; i < len(raw); {
		c := raw[i]
		if c == '/' && (i == 0 || !isLetter(raw[i-1])) {
			if n := pathLen(raw[i:]); n > 0 {
				m.word, i = append(m.word, Wildcard...), i+n
				continue
			}
		}
		if c|0x20 >= 'a' && c|0x20 <= 'z' && i+3 < len(raw) && raw[i+1] == ':' && raw[i+2] == '\\' && (i == 0 || !isLetter(raw[i-1])) {
			m.word = append(m.word, Wildcard...) // C:\…
			break
		}
		if !isAlnum(c) {
			m.word, i = append(m.word, c), i+1
			continue
		}
		if n := idLen(raw[i:]); n > 0 && (i == 0 || !isAlnum(raw[i-1])) {
			m.word, i = append(m.word, Wildcard...), i+n
			continue
		}
		n := 1
		for i+n < len(raw) && isAlnum(raw[i+n]) {
			n++
		}
		m.run(raw[i : i+n])
		i += n
	}
	m.hosts()
	m.join()
}

// run masks one run of letters and digits.
func (m *masker) run(run []byte) {
	digits := 0
	for _, c := range run {
		if isDigit(c) {
			digits++
		}
	}
	hex := isHex(run) || len(run) > 2 && run[0] == '0' && run[1]|0x20 == 'x'
	switch {
	case digits == 0 && !(hex && len(run) >= 8 && len(run)%2 == 0):
		m.word = append(m.word, run...)
	case digits == 0, hex:
		m.word = append(m.word, Wildcard...)
	default:
		for i := 0; i < len(run); {
			if !isDigit(run[i]) {
				m.word, i = append(m.word, run[i]), i+1
				continue
			}
			for i < len(run) && isDigit(run[i]) {
				i++
			}
			m.word = append(m.word, Wildcard...)
		}
	}
}

// join makes one value of values with only punctuation between them: 10.0.0.7:80,
// 2026-11-22, -1.5. A minus belongs to its number.
func (m *masker) join() {
	if !isWild(m.word) {
		return
	}
	out := m.word[:0]
	for i := 0; i < len(m.word); {
		if !bytes.HasPrefix(m.word[i:], []byte(Wildcard)) {
			out, i = append(out, m.word[i]), i+1
			continue
		}
		n := len(out)
		switch {
		case n > 0 && out[n-1] == '-' && !bytes.HasSuffix(out[:n-1], []byte(Wildcard)):
			out = append(out[:n-1], Wildcard...)
		case bytes.HasSuffix(out, []byte(Wildcard)):
		case n > 2 && out[n-1] == '#' && out[n-2] == '#' && bytes.HasSuffix(out[:n-2], []byte(Wildcard)):
			out = out[:n-2]
		case n > 0 && strings.IndexByte(".:,-/_", out[n-1]) >= 0 && bytes.HasSuffix(out[:n-1], []byte(Wildcard)):
			out = out[:n-1]
		default:
			out = append(out, Wildcard...)
		}
		i += len(Wildcard)
	}
	m.word = out
}
