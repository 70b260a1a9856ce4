package logs

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Line is one line as it was sent.
type Line struct {
	At            time.Time
	Service, Host string
	Text          string
}

const (
	mostName  = 100
	mostLines = 50_000 // of one POST
	mostAhead = 10 * time.Minute
)

// What the senders call each thing: Fluentd and Fluent Bit, rsyslog, journald,
// Vector and the usual libraries.
var (
	textNames    = []string{"message", "log", "msg", "MESSAGE", "line"}
	serviceNames = []string{"service", "app", "application", "service_name", "programname", "SYSLOG_IDENTIFIER", "_SYSTEMD_UNIT", "tag"}
	hostNames    = []string{"host", "hostname", "HOSTNAME", "_HOSTNAME", "source_host"}
	timeNames    = []string{"time", "@timestamp", "timestamp", "date", "ts", "_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP"}
)

// Decode reads JSON objects, one after the other or in arrays, or lines of text. A
// line without a time, or with one that cannot be, is of now. What is no object with
// a text is left out and counted; where no other is, the body is refused.
func Decode(body []byte, now time.Time) (lines []Line, leftOut int, err error) {
	body = bytes.TrimSpace(body)
	if len(body) == 0 {
		return nil, 0, nil
	}
	if !structured(body) {
		lines, err = plain(body, now)
		return lines, 0, err
	}
	values := 0
	err = eachValue(body, func(v any) error {
		if values++; values > mostLines {
			return tooMany()
		}
		o, _ := v.(map[string]any)
		if l, ok := object(o, now); ok {
			lines = append(lines, l)
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	if len(lines) == 0 && values > 0 {
		names := strings.Join(textNames, ", ")
		return nil, 0, incidents.Fail(incidents.Invalid, "error.log_no_text", "no object has a line: text under "+names, "names", names).
			WithHint(`{"service":"shop","message":"…"}`)
	}
	return lines, values - len(lines), nil
}

// structured says whether a body is meant as JSON. A line of text may begin with a
// bracket; one that goes on with a brace, or that ends at once, is an array.
func structured(body []byte) bool {
	if body[0] != '[' {
		return body[0] == '{'
	}
	rest := bytes.TrimLeft(body[1:], " \t\r\n")
	return len(rest) > 0 && (rest[0] == '{' || rest[0] == ']' && json.Valid(body))
}

// eachValue hands on the values of a body, and those of its arrays, each by itself:
// nothing of one is left in the next.
func eachValue(body []byte, each func(any) error) error {
	d := json.NewDecoder(bytes.NewReader(body))
	one := func() error {
		var v any
		if d.Decode(&v) != nil {
			return malformed()
		}
		return each(v)
	}
	for {
		rest := bytes.TrimLeft(body[d.InputOffset():], " \t\r\n")
		switch {
		case len(rest) == 0:
			return nil
		case rest[0] != '[':
			if err := one(); err != nil {
				return err
			}
			continue
		}
		_, err := d.Token() // [
		for err == nil && d.More() {
			if err := one(); err != nil {
				return err
			}
		}
		if _, end := d.Token(); err != nil || end != nil {
			return malformed()
		}
	}
}

func malformed() error {
	return incidents.Fail(incidents.Invalid, "error.log_form", "the body is neither an array of objects, nor objects one after the other, nor lines of text").
		WithHint(`{"service":"shop","message":"…"}`)
}

func tooMany() error {
	return incidents.Fail(incidents.TooLarge, "error.log_many", "more than 50000 lines in one body")
}

func plain(body []byte, now time.Time) ([]Line, error) {
	var lines []Line
	for text := range bytes.Lines(body) {
		if text = bytes.TrimRight(text, "\r\n"); len(text) > 0 {
			lines = append(lines, Line{At: now, Text: string(text)})
		}
		if len(lines) > mostLines {
			return nil, tooMany()
		}
	}
	return lines, nil
}

func object(o map[string]any, now time.Time) (Line, bool) {
	l := Line{At: now, Text: word(o, textNames), Service: word(o, serviceNames), Host: word(o, hostNames)}
	if l.Service != "" && l.Service == o["_SYSTEMD_UNIT"] {
		l.Service = strings.TrimSuffix(l.Service, ".service") // as everybody else calls it
	}
	for _, name := range timeNames {
		at, ok := moment(o[name])
		if ok && at.Before(now.Add(mostAhead)) && at.After(now.Add(-24*time.Hour)) {
			l.At = at
			break
		}
	}
	return l, l.Text != ""
}

func word(o map[string]any, names []string) string {
	for _, name := range names {
		if s := text(o[name]); s != "" {
			return strings.TrimRight(s, "\r\n")
		}
	}
	return ""
}

// text is a string, or journald's numbers of one that has colours or is no UTF-8.
func text(v any) string {
	all, ok := v.([]any)
	if !ok {
		s, _ := v.(string)
		return s
	}
	b := make([]byte, len(all))
	for i, v := range all {
		n, ok := v.(float64)
		if !ok || n < 0 || n > 255 {
			return ""
		}
		b[i] = byte(n)
	}
	return string(b)
}

// moment reads RFC 3339, or Unix seconds, milliseconds, microseconds (journald's) or
// nanoseconds: each is too large to be the one before it.
func moment(v any) (time.Time, bool) {
	var n float64
	switch v := v.(type) {
	case float64:
		n = v
	case string:
		if at, err := time.Parse(time.RFC3339Nano, v); err == nil {
			return at, true
		}
		n, _ = strconv.ParseFloat(v, 64) // 0 where it is none
	}
	if !(n > 0 && n < 1e20) {
		return time.Time{}, false
	}
	for n > 1e11 {
		n /= 1000
	}
	return time.UnixMilli(int64(n * 1000)), true
}
