package replay

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/learning/factored"
)

// Bounds of a log.
const (
	maxLine    = 1 << 20 // bytes
	maxContext = 1000    // fields of one incident
)

// Incident is one line of a log:
//
//	{"id":"INC1","t":1456708560,"tr":1456745340,"ctx":{"service":"shop"},"group":"web","code":"restart"}
//
// t is when it opened and tr when it was resolved, in seconds since 1970; ctx is
// what was known at the opening, text or numbers. What resolved it stands in
// other fields, of which the reader is told the names.
type Incident struct {
	ID       string
	At       int64
	Resolved int64
	Context  []factored.Feature // by field
	Action   string             // the named fields' values, joined by |
	Kin      []string           // the values, where there are several
}

// Lines reads a log, plain or gzip, and calls each for every incident. Its
// errors are of the code Invalid and name the line.
func Lines(r io.Reader, action []string, each func(*Incident) error) error {
	in := bufio.NewReaderSize(r, 1<<16)
	if magic, _ := in.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(in)
		if err != nil {
			return fmt.Errorf("read the compressed log: %w", err)
		}
		defer z.Close()
		in = bufio.NewReaderSize(z, 1<<16)
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 0, 1<<16), maxLine)
	n := 0
	for lines.Scan() {
		n++
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		i, err := parse(lines.Bytes(), action)
		if err != nil {
			return badLine(n, err)
		}
		if err := each(i); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return badLine(n+1, err)
	}
	return nil
}

func badLine(n int, err error) error {
	return incidents.Fail(incidents.Invalid, "error.replay_line", fmt.Sprintf("line %d: %v", n, err),
		"line", fmt.Sprint(n), "error", err.Error()).WithHint("hikeshi learn replay --help")
}

func parse(line []byte, action []string) (*Incident, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(line, &raw); err != nil {
		return nil, fmt.Errorf("no JSON object: %w", err)
	}
	i := &Incident{}
	var err error
	if i.ID, err = text(raw["id"]); err != nil || i.ID == "" {
		return nil, fmt.Errorf("id is missing")
	}
	if err := json.Unmarshal(raw["t"], &i.At); err != nil || i.At <= 0 {
		return nil, fmt.Errorf("t is not a time in seconds")
	}
	if err := json.Unmarshal(raw["tr"], &i.Resolved); err != nil || i.Resolved < i.At {
		return nil, fmt.Errorf("tr is not a time in seconds, or before t")
	}
	if i.Context, err = context(raw["ctx"]); err != nil {
		return nil, err
	}
	for _, name := range action {
		value, err := text(raw[name])
		if err != nil || value == "" {
			return nil, fmt.Errorf("%s is missing, which is part of the action", name)
		}
		i.Kin = append(i.Kin, value)
	}
	i.Action = strings.Join(i.Kin, "|")
	if len(i.Kin) == 1 {
		i.Kin = nil
	}
	return i, nil
}

// context reads the fields, in the order of their names.
func context(b json.RawMessage) ([]factored.Feature, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return nil, fmt.Errorf("ctx is no object")
	}
	if len(raw) > maxContext {
		return nil, fmt.Errorf("ctx has %d fields, more than %d", len(raw), maxContext)
	}
	list := make([]factored.Feature, 0, len(raw))
	for name, v := range raw {
		value, err := text(v)
		if err != nil {
			return nil, fmt.Errorf("ctx.%s is neither text nor a number", name)
		}
		list = append(list, factored.Feature{Field: name, Value: value})
	}
	slices.SortFunc(list, func(a, b factored.Feature) int { return strings.Compare(a.Field, b.Field) })
	return list, nil
}

// text is a string, or a number or truth value as it is written.
func text(b json.RawMessage) (string, error) {
	switch {
	case len(b) == 0 || bytes.Equal(b, []byte("null")):
		return "", nil
	case b[0] == '"':
		var s string
		err := json.Unmarshal(b, &s)
		return s, err
	case b[0] == '{' || b[0] == '[':
		return "", fmt.Errorf("not text")
	}
	return string(b), nil
}
