package intake

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Reader walks the JSON of one POST, once, from front to back. It refuses what
// is not JSON, keys that come twice, text after the end, and nesting beyond
// the limit; invalid UTF-8 inside a string it mends. Every error it returns is
// an *incidents.Error that says where.
type Reader struct {
	Mended Mended

	dec    *jsontext.Decoder
	text   string // the body; strings without escapes are substrings of it
	limits Limits
	alert  int // the alert being read, from 1; 0 outside

	pairs []incidents.Label // scratch for one alert's labels
	arena []incidents.Label // where finished labels live, many alerts to one allocation
	plain []byte            // scratch for strings with escapes
	lossy jsontext.Value    // the last string read, where it is no text: half a surrogate pair, invalid UTF-8 beside escapes
}

// NewReader reads body. The body may be reused as soon as the
// decoder returns; the strings of the batch share one copy of it, so copy what
// is to be kept for long.
func NewReader(body []byte, limits Limits) *Reader {
	r := &Reader{dec: tokenizers.Get().(*jsontext.Decoder), text: string(body), limits: limits}
	r.dec.Reset(bytes.NewBuffer(body), jsontext.AllowInvalidUTF8(true))
	return r
}

// tokenizers are reused: their tables of names are half of what a small POST
// allocates. Finish gives one back.
var tokenizers = sync.Pool{New: func() any { return new(jsontext.Decoder) }}

// Object reads an object and calls field with each key; field must read
// exactly one value, if only with Skip.
func (r *Reader) Object(what string, field func(key string) error) error {
	if err := r.open('{', what, "an object"); err != nil {
		return err
	}
	for r.dec.PeekKind() != '}' {
		raw, err := r.dec.ReadValue()
		if err != nil {
			return r.malformed(err)
		}
		if err := field(r.unquote(raw)); err != nil {
			return err
		}
	}
	return r.close()
}

// Array reads an array and calls element before each of its values; null is an
// array without any.
func (r *Reader) Array(what string, element func() error) error {
	if r.dec.PeekKind() == 'n' {
		return r.Skip()
	}
	if err := r.open('[', what, "an array"); err != nil {
		return err
	}
	for r.dec.PeekKind() != ']' {
		if r.dec.PeekKind() == jsontext.KindInvalid {
			break
		}
		if err := element(); err != nil {
			return err
		}
	}
	return r.close()
}

// Alerts is Array for the alerts of a POST: it keeps their limit, and errors
// within say which alert they are about.
func (r *Reader) Alerts(what string, element func() error) error {
	err := r.Array(what, func() error {
		r.alert++
		if r.alert > r.limits.Alerts {
			r.alert = 0
			return &incidents.Error{
				Code:    incidents.TooLarge,
				Message: fmt.Sprintf("the POST carries more than %d alerts", r.limits.Alerts),
				Hint:    fmt.Sprintf("send at most %d alerts a POST; Alertmanager: max_alerts: %d in webhook_configs", r.limits.Alerts, r.limits.Alerts),
			}
		}
		return element()
	})
	if err == nil {
		r.alert = 0
	}
	return err
}

// anyString reads a string of any length; null is "".
func (r *Reader) anyString(what string) (string, error) {
	switch r.dec.PeekKind() {
	case '"':
	case 'n':
		r.lossy = nil
		return "", r.Skip()
	default:
		return "", r.unexpected(what, "a string")
	}
	raw, err := r.dec.ReadValue()
	if err != nil {
		return "", r.malformed(err)
	}
	return r.unquote(raw), nil
}

// Identity reads a string that tells one thing from another, such as a group
// key, within the limit of a value.
func (r *Reader) Identity(what string) (string, error) {
	s, err := r.anyString(what)
	return r.mend(s, r.limits.Value, true), err
}

// Text reads a string for people, within the limit of a value.
func (r *Reader) Text(what string) (string, error) {
	s, err := r.anyString(what)
	return r.mend(s, r.limits.Value, false), err
}

// Link reads a URL. One that is too long, or neither http nor https, is left
// out and counted: half a link is none, and others have no business in a card.
func (r *Reader) Link(what string) (string, error) {
	s, err := r.anyString(what)
	if err != nil || s == "" {
		return "", err
	}
	scheme, _, found := strings.Cut(s, "://")
	web := found && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
	if !web || len(s) > r.limits.Value || !utf8.ValidString(s) || strings.ContainsFunc(s, isControl) {
		r.Mended.Links++
		return "", nil
	}
	return s, nil
}

func isControl(c rune) bool { return c < ' ' || c == 0x7f }

// The years a time may have. Outside them it says nothing, and would not fit
// the nanoseconds since 1970 of the intake log.
const firstYear, lastYear = 1970, 2200

// Time reads an RFC 3339 time. Zero times (Go senders write year 1 for "none")
// and years before 1970 or after 2200 are the zero time.
func (r *Reader) Time(what string) (time.Time, error) {
	s, err := r.anyString(what)
	if err != nil || s == "" {
		return time.Time{}, err
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, r.Invalid(what+" is not an RFC 3339 time", `write it as "2026-11-22T08:00:00Z"`)
	}
	if y := t.Year(); y < firstYear || y > lastYear {
		return time.Time{}, nil
	}
	return t.UTC(), nil
}

// Count reads a whole number that is not negative; null is 0.
func (r *Reader) Count(what string) (int, error) {
	switch r.dec.PeekKind() {
	case '0':
	case 'n':
		return 0, r.Skip()
	default:
		return 0, r.unexpected(what, "a number")
	}
	raw, err := r.dec.ReadValue()
	if err != nil {
		return 0, r.malformed(err)
	}
	n := 0
	for _, c := range raw {
		if c < '0' || c > '9' || n > 1e15 {
			return 0, r.Invalid(what+" is not a whole number", "")
		}
		n = n*10 + int(c-'0')
	}
	return n, nil
}

// Scalar reads a string, number or boolean as text, within the limit of a
// value; of anything else it is "".
func (r *Reader) Scalar(what string) (string, error) {
	switch r.dec.PeekKind() {
	case '"':
		return r.Text(what)
	case '0', 't', 'f':
		raw, err := r.dec.ReadValue()
		if err != nil {
			return "", r.malformed(err)
		}
		return head(string(raw), r.limits.Value), nil
	}
	return "", r.Skip()
}

// Skip reads and forgets one value, within the limit of nesting.
func (r *Reader) Skip() error {
	start := r.dec.StackDepth()
	for {
		if _, err := r.dec.ReadToken(); err != nil {
			return r.malformed(err)
		}
		if err := r.checkDepth(); err != nil {
			return err
		}
		if r.dec.StackDepth() == start {
			return nil
		}
	}
}

// SkipUnknown skips the value of a key that the format does not know.
func (r *Reader) SkipUnknown(key string, known []string) error {
	if err := r.CheckCase(key, known); err != nil {
		return err
	}
	return r.Skip()
}

// CheckCase refuses a key that differs from a known one only in case: some
// parsers would take it for that one, others not.
func (r *Reader) CheckCase(key string, known []string) error {
	for _, k := range known {
		if strings.EqualFold(k, key) {
			return r.Invalid(fmt.Sprintf("a key differs from %q only in case", k), fmt.Sprintf("write it as %q", k))
		}
	}
	return nil
}

// Name bounds the key just read as the name of a label or annotation; two
// names never become one.
func (r *Reader) Name(key string) string { return r.mend(key, r.limits.Name, true) }

// Kind of the next value: '{', '[', '"', '0', 't', 'f', 'n', or 0 at an error.
func (r *Reader) Kind() byte { return byte(r.dec.PeekKind()) }

// End refuses anything but space after the value that was read.
func (r *Reader) End() error {
	if _, err := r.dec.ReadToken(); err == nil {
		return r.Invalid("something follows the end of the JSON", "send one JSON value a POST")
	} else if !errors.Is(err, io.EOF) {
		return r.malformed(err)
	}
	return nil
}

func (r *Reader) open(kind jsontext.Kind, what, want string) error {
	if r.dec.PeekKind() != kind {
		return r.unexpected(what, want)
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return r.malformed(err)
	}
	return r.checkDepth()
}

func (r *Reader) close() error {
	if _, err := r.dec.ReadToken(); err != nil {
		return r.malformed(err)
	}
	return nil
}

func (r *Reader) checkDepth() error {
	if r.dec.StackDepth() > r.limits.Depth {
		return r.Invalid(fmt.Sprintf("the JSON is nested more than %d deep", r.limits.Depth), "an alert needs four levels; look for a loop in the sender")
	}
	return nil
}

// unquote turns the string just read into its text, without a copy where it
// has no escapes.
func (r *Reader) unquote(raw jsontext.Value) string {
	r.lossy = nil
	if bytes.IndexByte(raw, '\\') < 0 {
		end := int(r.dec.InputOffset()) - 1
		return r.text[end-(len(raw)-2) : end]
	}
	var err error
	if r.plain, err = jsontext.AppendUnquote(r.plain[:0], raw); err != nil {
		r.lossy = raw
	}
	return string(r.plain)
}

// mend bounds the string just read; see Mended.
func (r *Reader) mend(s string, max int, identity bool) string {
	return r.Mended.mend(s, r.lossy, max, identity)
}
