package steps

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Expect is when a step counts as passed; all of it must hold. Its form as a
// string is canonical, stands in plans, and reads aloud:
//
//	code 0 and contains "active"
//	code 200-299,304 and json queue.depth < 10
//	number < 90
//	number > 0.5
//	none
type Expect struct {
	Codes    []Range  // exit codes of a command, statuses of an HTTP reply
	Contains []string // each is in the output
	Lacks    []string // none is in the output
	JSON     *Compare // the output is JSON, and what stands at a path of it compares so
	Number   *Compare // command: the first number in the output; promql: the value of every sample
	None     bool     // promql: the query finds nothing
}

// Range is one number, or all from Low to High.
type Range struct{ Low, High int }

func (r Range) String() string {
	if r.Low == r.High {
		return strconv.Itoa(r.Low)
	}
	return fmt.Sprintf("%d-%d", r.Low, r.High)
}

// Compare is a comparison with a constant.
type Compare struct {
	Path  string // JSON only: keys and indexes, joined by dots
	Op    string // == != < <= > >=
	Value string // a JSON constant: 12, 0.5, "ok", true, null
}

func (c Compare) String() string { return strings.TrimPrefix(c.Path+" "+c.Op+" "+c.Value, " ") }

var (
	compareForm = regexp.MustCompile(`\A\s*(?:([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)\s*)?(==|!=|<=|>=|<|>)\s*(.+?)\s*\z`)
	numberForm  = regexp.MustCompile(`\A-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\z`)
	rangeForm   = regexp.MustCompile(`\A([0-9]{1,3})(?:-([0-9]{1,3}))?\z`)
)

// ParseCompare reads "queue.depth < 10"; the path is there exactly if wanted.
func ParseCompare(s string, path bool) (*Compare, error) {
	m := compareForm.FindStringSubmatch(s)
	if m == nil || (m[1] != "") != path {
		return nil, fmt.Errorf("comparison %q is not of the form %s", s, map[bool]string{true: "path < 10", false: "< 10"}[path])
	}
	c := &Compare{Path: m[1], Op: m[2], Value: m[3]}
	number := numberForm.MatchString(c.Value)
	if number {
		f, err := strconv.ParseFloat(c.Value, 64)
		if err != nil {
			return nil, fmt.Errorf("comparison %q: %w", s, err)
		}
		c.Value = strconv.FormatFloat(f, 'g', -1, 64)
		return c, nil
	}
	if !path || c.Op != "==" && c.Op != "!=" {
		return nil, fmt.Errorf("comparison %q: %s needs a number", s, c.Op)
	}
	switch c.Value {
	case "true", "false", "null":
		return c, nil
	}
	text, err := strconv.Unquote(c.Value)
	if err != nil || c.Value[0] != '"' {
		return nil, fmt.Errorf("comparison %q: want a number, true, false, null or \"text\"", s)
	}
	c.Value = strconv.Quote(text)
	return c, nil
}

// ParseRanges reads "200-299,304".
func ParseRanges(s string) ([]Range, error) {
	var rs []Range
	for field := range strings.SplitSeq(s, ",") {
		m := rangeForm.FindStringSubmatch(strings.TrimSpace(field))
		if m == nil {
			return nil, fmt.Errorf("%q is not a number or a range such as 200-299", field)
		}
		low, _ := strconv.Atoi(m[1]) // at most three digits
		high := low
		if m[2] != "" {
			high, _ = strconv.Atoi(m[2])
		}
		if high < low {
			return nil, fmt.Errorf("range %q is empty", field)
		}
		rs = append(rs, Range{low, high})
	}
	return rs, nil
}

// String is the canonical form; ParseExpect reads it back.
func (e Expect) String() string {
	var clauses []string
	if len(e.Codes) > 0 {
		codes := make([]string, len(e.Codes))
		for i, r := range e.Codes {
			codes[i] = r.String()
		}
		clauses = append(clauses, "code "+strings.Join(codes, ","))
	}
	for _, s := range e.Contains {
		clauses = append(clauses, "contains "+strconv.Quote(s))
	}
	for _, s := range e.Lacks {
		clauses = append(clauses, "lacks "+strconv.Quote(s))
	}
	if e.JSON != nil {
		clauses = append(clauses, "json "+e.JSON.String())
	}
	if e.Number != nil {
		clauses = append(clauses, "number "+e.Number.String())
	}
	if e.None {
		clauses = append(clauses, "none")
	}
	return strings.Join(clauses, " and ")
}

// ParseExpect reads the canonical form.
func ParseExpect(s string) (Expect, error) {
	var e Expect
	for rest := s; rest != ""; {
		clause, after, err := cutClause(rest)
		if err != nil {
			return Expect{}, fmt.Errorf("parse expectation %q: %w", s, err)
		}
		if err := e.addClause(clause); err != nil {
			return Expect{}, fmt.Errorf("parse expectation %q: %w", s, err)
		}
		rest = after
	}
	return e, nil
}

// cutClause cuts at the first " and " outside quotes.
func cutClause(s string) (clause, rest string, err error) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case !quoted && strings.HasPrefix(s[i:], " and "):
			if rest = s[i+len(" and "):]; rest == "" {
				return "", "", fmt.Errorf("nothing after %q", s)
			}
			return s[:i], rest, nil
		}
	}
	return s, "", nil
}

func (e *Expect) addClause(clause string) (err error) {
	word, arg, _ := strings.Cut(clause, " ")
	switch word {
	case "code":
		e.Codes, err = ParseRanges(arg)
	case "contains", "lacks":
		var text string
		if text, err = strconv.Unquote(arg); err != nil {
			return fmt.Errorf("%s: want a quoted text: %w", word, err)
		}
		if word == "contains" {
			e.Contains = append(e.Contains, text)
		} else {
			e.Lacks = append(e.Lacks, text)
		}
	case "json":
		e.JSON, err = ParseCompare(arg, true)
	case "number":
		e.Number, err = ParseCompare(arg, false)
	case "none":
		e.None = true
	default:
		err = fmt.Errorf("unknown condition %q", word)
	}
	return err
}
