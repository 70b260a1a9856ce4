package intake

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// Mended counts what a decoder changed rather than refused. A sender such as
// Alertmanager drops a whole POST at a 4xx and never tries it again, so one
// absurd value must not cost its neighbours.
type Mended struct {
	Cut     int // names and values longer than the limit, cut and marked
	Text    int // names and values with NUL or invalid UTF-8, replaced by U+FFFD
	LeftOut int // labels and annotations beyond the limit of an alert
	Links   int // URLs that are too long or neither http nor https, left out
	Clocks  int // alerts that begin more than a minute in our future
}

// Total is how many changes were made. A clock that is off is none of them:
// its alert is taken as it is, bounded by our clock.
func (m Mended) Total() int { return m.Cut + m.Text + m.LeftOut + m.Links }

const replacement = string(utf8.RuneError)

// mend bounds s to max bytes of clean text. Labels are an alert's identity: a
// changed one ends in a short hash of what it was, so that two alerts that
// were different stay different, and the same alert stays the same. The text
// of an annotation carries the plain mark. Where reading s lost something
// already, raw is what it was read from.
func (m *Mended) mend(s string, raw []byte, max int, identity bool) string {
	dirty := raw != nil || !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0
	if len(s) <= max && !dirty {
		return s
	}
	clean, long := s, len(s) > max
	if long {
		m.Cut++
	}
	if dirty {
		m.Text++
		clean = strings.ReplaceAll(strings.ToValidUTF8(s, replacement), "\x00", replacement)
	}
	mark := ""
	switch {
	case identity && long:
		mark = "…(cut " + shortHash(s, raw) + ")"
	case identity:
		mark = "…(mended " + shortHash(s, raw) + ")"
	case len(clean) > max:
		mark = "…(cut)"
	}
	return head(clean, max-len(mark)) + mark
}

func shortHash(s string, raw []byte) string {
	if raw == nil {
		raw = []byte(s)
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8])
}

// head is at most n bytes of s that end between two characters.
func head(s string, n int) string {
	if len(s) <= n {
		return s
	}
	n = max(n, 0)
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
