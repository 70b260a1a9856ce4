package history

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Source is what facts of a history have for theirs.
const Source = "import"

// Bounds of a history.
const (
	MaxBytes    = 256 << 20
	MaxLines    = 500_000
	MaxProblems = 20 // that are told; beyond them they are counted
	maxCell     = 1 << 20
	maxText     = 200 // bytes of a name
)

// Problem is a line that cannot be read.
type Problem struct {
	Line int
	What incidents.Reason
}

// Options say how to read what files do not say themselves.
type Options struct {
	Action string    // the column that says what was done; "": by the format
	Now    time.Time // nothing in a history is later
}

// History is what a file says. With problems there are no facts.
type History struct {
	Facts    []incidents.Fact
	Left     int // lines without an action or an end: they teach nothing
	Problems []Problem
	More     int // problems that are not told
}

// Read makes facts of a history.
func Read(in io.Reader, o Options) (*History, error) {
	r := &reader{o: o}
	limited := &io.LimitedReader{R: in, N: MaxBytes + 1}
	b := bufio.NewReader(limited)
	if bom, _ := b.Peek(3); bytes.Equal(bom, []byte("\xef\xbb\xbf")) {
		_, _ = b.Discard(3)
	}
	read := r.table
	if first, _ := b.Peek(1); len(first) == 1 && first[0] == '{' {
		read = r.lines
	}
	if err := read(b); err != nil {
		return nil, err
	}
	if limited.N == 0 {
		return nil, incidents.Fail(incidents.TooLarge, "import.too_large", "a history is too large", "max", strconv.Itoa(MaxBytes>>20))
	}
	if len(r.problems) > 0 {
		r.facts = nil
	}
	return &History{r.facts, r.left, r.problems, r.more}, nil
}

type reader struct {
	o        Options
	facts    []incidents.Fact
	problems []Problem
	more     int
	left     int // lines that teach nothing
}

func (r *reader) refuse(line int, phrase string, args ...string) {
	if len(r.problems) == MaxProblems {
		r.more++
		return
	}
	r.problems = append(r.problems, Problem{line, incidents.Because(phrase, args...)})
}

// table reads CSV. What a column means is said by the header.
func (r *reader) table(in io.Reader) error {
	c := csv.NewReader(in)
	c.FieldsPerRecord = -1
	head, err := c.Read()
	if err != nil {
		return incidents.Fail(incidents.Invalid, "import.no_header", "the file has no header: "+err.Error(), "error", err.Error())
	}
	cols, err := columnsOf(head, r.o.Action)
	if err != nil {
		return err
	}
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		line, _ := c.FieldPos(0)
		if e, ok := errors.AsType[*csv.ParseError](err); ok {
			r.refuse(e.StartLine, "import.bad_csv", "error", e.Err.Error())
			return nil // where the next line begins is anybody's guess
		}
		if err != nil {
			return fmt.Errorf("read the history: %w", err)
		}
		if err := r.bound(line); err != nil {
			return err
		}
		r.row(line, func(m meaning) string { return cols.of(row, m) })
	}
}

// lines reads one JSON object a line, with our own names for columns.
func (r *reader) lines(in io.Reader) error {
	s := bufio.NewScanner(in)
	s.Buffer(nil, maxCell)
	for line := 1; s.Scan(); line++ {
		if len(bytes.TrimSpace(s.Bytes())) == 0 {
			continue
		}
		var o map[string]any
		d := json.NewDecoder(bytes.NewReader(s.Bytes()))
		d.UseNumber()
		if err := d.Decode(&o); err != nil {
			r.refuse(line, "import.bad_json", "error", err.Error())
			continue
		}
		if err := r.bound(line); err != nil {
			return err
		}
		r.row(line, func(m meaning) string { return text(o[r.key(m)]) })
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("read the history: %w", err)
	}
	return nil
}

func (r *reader) key(m meaning) string {
	if m == action && r.o.Action != "" {
		return r.o.Action
	}
	return string(m)
}

func (r *reader) bound(line int) error {
	if len(r.facts)+len(r.problems)+r.more >= MaxLines {
		return incidents.Fail(incidents.TooLarge, "import.too_long", "a history has too many lines", "max", strconv.Itoa(MaxLines), "line", strconv.Itoa(line))
	}
	return nil
}

// text is a JSON value as a cell; labels may be an object.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	case map[string]any:
		pairs := make([]string, 0, len(v))
		for name, value := range v {
			pairs = append(pairs, name+"="+text(value))
		}
		slices.Sort(pairs)
		return strings.Join(pairs, ";")
	}
	return fmt.Sprint(v)
}
