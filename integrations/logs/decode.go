package logs

import (
	"bytes"
	"encoding/json"
	"math"
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
	serviceNames = []string{"service", "app", "application", "service_name", "programname", "SYSLOG_IDENTIFIER", "tag"}
	hostNames    = []string{"host", "hostname", "HOSTNAME", "_HOSTNAME", "source_host"}
	timeNames    = []string{"time", "@timestamp", "timestamp", "date", "ts"}
)

// Decode reads a JSON array of objects, objects one after the other, or lines of
// text. A line without a time, or with one that cannot be, is of now. Objects
// without a text are left out and counted; where no other is, the body is refused.
func Decode(body []byte, now time.Time) (lines []Line, leftOut int, err error) {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) == 0 {
		return nil, 0, nil
	}
	if trimmed[0] != '[' && trimmed[0] != '{' {
		lines, err = plain(trimmed, now)
		return lines, 0, err
	}
	var objects []map[string]any
	d := json.NewDecoder(bytes.NewReader(trimmed))
	for d.More() {
		var err error
		if trimmed[0] == '[' {
			err = d.Decode(&objects)
		} else {
			var one map[string]any
			err = d.Decode(&one)
			objects = append(objects, one)
		}
		if len(objects) > mostLines {
			return nil, 0, tooMany()
		}
		if err != nil {
			if trimmed[0] == '[' { // a line of text may begin so
				lines, err = plain(trimmed, now)
				return lines, 0, err
			}
			return nil, 0, incidents.Fail(incidents.Invalid, "error.log_form", "the body is neither an array of objects, nor objects one after the other, nor lines of text").
				WithHint(`{"service":"shop","message":"…"}`)
		}
	}
	for _, o := range objects {
		if l, ok := object(o, now); ok {
			lines = append(lines, l)
		}
	}
	if len(lines) == 0 && len(objects) > 0 {
		names := strings.Join(textNames, ", ")
		return nil, 0, incidents.Fail(incidents.Invalid, "error.log_no_text", "no object has a line: text under "+names, "names", names).
			WithHint(`{"service":"shop","message":"…"}`)
	}
	return lines, len(objects) - len(lines), nil
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
		if s, ok := o[name].(string); ok && s != "" {
			return strings.TrimRight(s, "\r\n")
		}
	}
	return ""
}

// moment reads Unix seconds, or milliseconds, or RFC 3339.
func moment(v any) (time.Time, bool) {
	switch v := v.(type) {
	case float64:
		if v > 1e11 {
			v /= 1000
		}
		if v <= 0 || v > 1e11 || math.IsNaN(v) {
			return time.Time{}, false
		}
		return time.UnixMilli(int64(v * 1000)), true
	case string:
		at, err := time.Parse(time.RFC3339Nano, v)
		return at, err == nil
	}
	return time.Time{}, false
}
