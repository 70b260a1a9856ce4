package steps

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// code says whether a command's exit code or a reply's status is as expected.
func (e Expect) code(code int) bool {
	return slices.ContainsFunc(e.Codes, func(r Range) bool { return r.Low <= code && code <= r.High })
}

// output judges what a step said: all of it for contains and lacks, data (a
// command's standard output) for json and number. seen is what was found, for
// people: "queue.depth = 24"; number is what was compared, if it is a number.
func (e Expect) output(text, data []byte) (ok bool, seen []string, number *float64) {
	ok = true
	for _, s := range e.Contains {
		if !bytes.Contains(text, []byte(s)) {
			ok = false
			seen = append(seen, fmt.Sprintf("no %q", s))
		}
	}
	for _, s := range e.Lacks {
		if bytes.Contains(text, []byte(s)) {
			ok = false
			seen = append(seen, fmt.Sprintf("has %q", s))
		}
	}
	if e.JSON != nil {
		value, found := atPath(data, e.JSON.Path)
		ok = ok && found && e.JSON.holds(value)
		seen = append(seen, e.JSON.Path+" = "+showJSON(value, found))
		if n, is := value.(float64); is {
			number = &n
		}
	}
	if e.Number != nil {
		n, found := firstNumber(data)
		ok = ok && found && e.Number.holds(n)
		if found {
			number = &n
			seen = append(seen, strconv.FormatFloat(n, 'g', -1, 64))
		} else {
			seen = append(seen, "no number")
		}
	}
	return ok, seen, number
}

// holds compares a JSON value (float64, string, bool or nil) with the constant.
func (c *Compare) holds(value any) bool {
	if n, ok := value.(float64); ok && numberForm.MatchString(c.Value) {
		want, _ := strconv.ParseFloat(c.Value, 64) // parsed before
		switch c.Op {
		case "==":
			return n == want
		case "!=":
			return n != want
		case "<":
			return n < want
		case "<=":
			return n <= want
		case ">":
			return n > want
		default:
			return n >= want
		}
	}
	var same bool
	switch v := value.(type) {
	case string:
		same = strconv.Quote(v) == c.Value
	case bool:
		same = strconv.FormatBool(v) == c.Value
	case nil:
		same = c.Value == "null"
	case float64, map[string]any, []any: // not what the constant is
	}
	return c.Op == "==" && same || c.Op == "!=" && !same
}

// atPath finds what stands at a path of a JSON text.
func atPath(text []byte, path string) (any, bool) {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return nil, false
	}
	for key := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			inner, ok := v[key]
			if !ok {
				return nil, false
			}
			value = inner
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(v) {
				return nil, false
			}
			value = v[i]
		default:
			return nil, false
		}
	}
	return value, true
}

func showJSON(value any, found bool) string {
	if !found {
		return "missing"
	}
	if s, ok := value.(string); ok {
		return s
	}
	b, err := json.Marshal(value)
	if err != nil {
		return "?"
	}
	return string(b)
}

var anyNumber = regexp.MustCompile(`-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?`)

func firstNumber(text []byte) (float64, bool) {
	f, err := strconv.ParseFloat(string(anyNumber.Find(text)), 64)
	return f, err == nil && !math.IsInf(f, 0)
}
