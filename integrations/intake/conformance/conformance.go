// Package conformance is what every decoder of alerts must pass, whatever its
// vendor: it is strict where intake promises strictness, tolerant of fields it
// does not know, pure, and what it returns is within the limits. For tests
// only.
//
// Start with Run in a test and Fuzz in a fuzz target.
package conformance

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/intake"
)

// Noon is when the conformance tests receive every POST.
var Noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const source = "conformance"

// Run tests decode with example, a valid body whose first object has a member.
func Run(t *testing.T, decode intake.Decode, example []byte) {
	t.Helper()
	s := suite{example: example, run: func(body []byte) (*incidents.Batch, error) {
		b, _, err := decode(body, source, Noon, intake.DefaultLimits())
		return b, err
	}}
	var err error
	if s.want, err = s.run(example); err != nil {
		t.Fatalf("the example is refused: %v", err)
	}
	Check(t, s.want, intake.DefaultLimits())
	t.Run("keeps nothing of the body and does not change it", s.pure)
	t.Run("refuses every part of it", s.truncated)
	t.Run("refuses what follows", s.trailing)
	t.Run("skips unknown fields", s.unknown)
	t.Run("is strict in unknown fields too", s.strict)
	t.Run("refuses other values", s.other)
}

type suite struct {
	example []byte
	want    *incidents.Batch
	run     func(body []byte) (*incidents.Batch, error)
}

func (s suite) pure(t *testing.T) {
	body := bytes.Clone(s.example)
	b, _ := s.run(body)
	if !bytes.Equal(body, s.example) {
		t.Error("the body was changed")
	}
	clear(body)
	if again, _ := s.run(s.example); !reflect.DeepEqual(b, again) || !reflect.DeepEqual(b, s.want) {
		t.Errorf("the same body gave %+v and %+v", b, again)
	}
}

func (s suite) truncated(t *testing.T) {
	whole := bytes.TrimSpace(s.example)
	for n := range len(whole) {
		if _, err := s.run(whole[:n]); !isInvalid(err) {
			t.Fatalf("the first %d bytes: %v", n, err)
		}
	}
}

func (s suite) trailing(t *testing.T) {
	for _, more := range []string{"x", "{}", "\x00", string(s.example)} {
		if _, err := s.run(append(bytes.Clone(s.example), more...)); !isInvalid(err) {
			t.Errorf("followed by %.20q: %v", more, err)
		}
	}
}

func (s suite) unknown(t *testing.T) {
	for _, extra := range []string{`"zz":{"a":[1,2,{"b":null}]}`, `"zz":[]`, `"zz":null`} {
		if b, err := s.run(with(s.example, extra)); err != nil || !reflect.DeepEqual(b.Alerts[0].Labels, s.want.Alerts[0].Labels) {
			t.Errorf("%s: %v", extra, err)
		}
	}
}

func (s suite) strict(t *testing.T) {
	for name, extra := range map[string]string{
		"duplicate key":         `"zz":1,"zz":1`,
		"escaped duplicate key": `"zz":1,"z\u007a":1`,
		"nested duplicate key":  `"zz":{"a":1,"a":1}`,
		"too deep":              `"zz":` + strings.Repeat("[", 33) + strings.Repeat("]", 33),
		"20,000 brackets":       `"zz":` + strings.Repeat("[", 20_000),
		"raw control character": "\"zz\":\"\n\"",
		"not JSON":              `zz:1`,
	} {
		if _, err := s.run(with(s.example, extra)); !isInvalid(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func (s suite) other(t *testing.T) {
	for _, body := range []string{"", " ", "0", `"x"`, "true", "[0]", "[[]]", "{", "[", "]", "\xff", "\ufeff" + string(s.example)} {
		if _, err := s.run([]byte(body)); !isInvalid(err) {
			t.Errorf("%.20q: %v", body, err)
		}
	}
}

// with puts members at the front of the first object of body.
func with(body []byte, members string) []byte {
	before, after, _ := bytes.Cut(body, []byte("{"))
	return []byte(string(before) + "{" + members + "," + string(after))
}

func isInvalid(err error) bool {
	e, ok := errors.AsType[*incidents.Error](err)
	return ok && e.Code == incidents.Invalid && e.Message != ""
}

// Fuzz makes decode a fuzz target with seeds, and the hostile corpus besides.
func Fuzz(f *testing.F, decode intake.Decode, seeds ...[]byte) {
	f.Helper()
	for _, s := range seeds {
		f.Add(s)
		for _, extra := range []string{
			`"status":"resolved","STATUS":"firing"`, `"zz":"\ud800"`, "\"zz\":\"\xff\"", `"zz":"\u0000"`,
			`"labels":{"a":"{{"}`, `"labels":{"<script>":"<!channel>"}`, `"endsAt":"9999-12-31T23:59:59Z"`,
		} {
			f.Add(with(s, extra))
		}
	}
	limits := intake.DefaultLimits()
	f.Fuzz(func(t *testing.T, body []byte) {
		b, _, err := decode(body, source, Noon, limits)
		if err != nil {
			if e, ok := errors.AsType[*incidents.Error](err); !ok || e.Code != incidents.Invalid && e.Code != incidents.TooLarge {
				t.Fatalf("not an error for people: %v", err)
			}
			return
		}
		Check(t, b, limits)
	})
}

// Check says what is wrong with a batch that a decoder made at Noon.
func Check(t testing.TB, b *incidents.Batch, limits intake.Limits) {
	t.Helper()
	if b.Source != source || !b.ReceivedAt.Equal(Noon) || b.Truncated < 0 || len(b.GroupKey) > limits.Value || !utf8.ValidString(b.GroupKey) {
		t.Errorf("the batch is not in order: %q %v %d %q", b.Source, b.ReceivedAt, b.Truncated, b.GroupKey)
	}
	if len(b.Alerts) > limits.Alerts {
		t.Errorf("%d alerts", len(b.Alerts))
	}
	for i := range b.Alerts {
		a := &b.Alerts[i]
		checkTimes(t, a)
		checkLabels(t, a.Labels, limits)
		checkLabels(t, a.Annotations, limits)
		if u := strings.ToLower(a.GeneratorURL); u != "" && !strings.HasPrefix(u, "http://") && !strings.HasPrefix(u, "https://") {
			t.Errorf("alert %d links to %q", i+1, a.GeneratorURL)
		}
	}
	back, err := incidents.DecodeBatch(incidents.AppendBatch(nil, b))
	if err != nil || len(back.Alerts) != len(b.Alerts) {
		t.Fatalf("the batch does not survive the intake log: %v", err)
	}
	for i := range back.Alerts {
		got, want := &back.Alerts[i], &b.Alerts[i]
		if got.Fingerprint() != want.Fingerprint() || !got.StartsAt.Equal(want.StartsAt) || !got.EndsAt.Equal(want.EndsAt) || got.Resolved != want.Resolved {
			t.Errorf("the intake log changes alert %d: %+v to %+v", i+1, want, got)
		}
	}
}

func checkTimes(t testing.TB, a *incidents.Alert) {
	t.Helper()
	switch {
	case a.StartsAt.IsZero() || a.StartsAt.After(Noon):
		t.Errorf("the alert starts at %v", a.StartsAt)
	case a.Resolved && (a.EndsAt.Before(a.StartsAt) || a.EndsAt.After(Noon)):
		t.Errorf("the alert ended at %v, having started at %v", a.EndsAt, a.StartsAt)
	case !a.Resolved && !a.EndsAt.IsZero() && !a.EndsAt.After(Noon):
		t.Errorf("the alert fires, and expired at %v", a.EndsAt)
	}
}

func checkLabels(t testing.TB, l incidents.Labels, limits intake.Limits) {
	t.Helper()
	if len(l) > limits.Labels {
		t.Errorf("%d labels", len(l))
	}
	for i, p := range l {
		if i > 0 && l[i-1].Name >= p.Name {
			t.Errorf("%q comes after %q", p.Name, l[i-1].Name)
		}
		if len(p.Name) > limits.Name || len(p.Value) > limits.Value || p.Value == "" {
			t.Errorf("a label of %d and %d bytes", len(p.Name), len(p.Value))
		}
		if !utf8.ValidString(p.Name) || !utf8.ValidString(p.Value) || strings.Contains(p.Name+p.Value, "\x00") {
			t.Errorf("%q is not text", p)
		}
	}
}
