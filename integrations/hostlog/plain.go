package hostlog

import (
	"bytes"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/integrations/ask"
)

// The times that lines begin with, each with how many words it is long. One without
// a zone is read as UTC.
var times = []struct {
	layout string
	words  int
}{
	{time.RFC3339Nano, 1},
	{"2006-01-02T15:04:05.999999999", 1},
	{"2006-01-02 15:04:05.999999999", 2},
	{"2006/01/02 15:04:05.999999999", 2},
	{"02/Jan/2006:15:04:05 -0700", 2}, // of a web server, after what is left out below
	{"Jan _2 15:04:05", 3},            // of syslog: no year
}

// plain reads lines of text. A line without a time belongs to the one before, as the
// lines of a stack trace do, and those before the first time to nobody.
func plain(out []byte, q diagnostics.Question) []ask.Line {
	var all []ask.Line
	var at time.Time
	for raw := range bytes.Lines(out) {
		text := strings.TrimRight(string(raw), "\r\n")
		if t, ok := moment(text, q.To); ok {
			at = t
		}
		if text != "" && !at.IsZero() {
			all = append(all, ask.Line{At: at, Text: text})
		}
	}
	return all
}

const mostBefore = 4 // words before the time: a web server's client, and two names

// moment finds the time at the beginning of a line, or in the brackets of a web
// server's.
func moment(text string, now time.Time) (time.Time, bool) {
	words := strings.Fields(text[:min(len(text), 200)])
	for _, form := range times {
		if at, ok := parse(form.layout, form.words, words, now); ok {
			return at, true
		}
	}
	for i := range words[:min(len(words), mostBefore)] {
		if strings.HasPrefix(words[i], "[") {
			return parse("02/Jan/2006:15:04:05 -0700", 2, words[i:], now)
		}
	}
	return time.Time{}, false
}

func parse(layout string, n int, words []string, now time.Time) (time.Time, bool) {
	if len(words) < n {
		return time.Time{}, false
	}
	text := strings.Trim(strings.Join(words[:n], " "), "[]")
	if strings.Contains(layout, "_2") && len(words[1]) == 1 {
		text = words[0] + "  " + words[1] + " " + words[2]
	}
	at, err := time.Parse(layout, strings.Replace(text, ",", ".", 1)) // Python writes 12:00:00,123
	if err == nil && at.Year() == 0 {
		at = at.AddDate(now.UTC().Year(), 0, 0)
		if at.After(now.AddDate(0, 1, 0)) { // December's, read in January
			at = at.AddDate(-1, 0, 0)
		}
	}
	return at, err == nil
}
