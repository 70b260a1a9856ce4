package logs_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/analysis/logs"
	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
	target "github.com/hikeshi-ops/hikeshi/integrations/logs"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, file string) *target.Source {
	t.Helper()
	s, err := target.Open(target.Config{File: file, Clean: steps.NewRedactor("hunter2-is-long").Excerpt})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func question(labels ...incidents.Label) diagnostics.Question {
	return diagnostics.Question{
		Incident: &incidents.Incident{Service: "shop", Common: incidents.NewLabels(labels)},
		From:     noon.Add(-time.Hour), To: noon.Add(2 * time.Minute), Alert: noon,
	}
}

// send posts one body as Fluent Bit does.
func send(t *testing.T, s *target.Source, at time.Time, lines ...string) {
	t.Helper()
	var body strings.Builder
	for _, l := range lines {
		b, err := json.Marshal(map[string]any{"date": float64(at.UnixMilli()) / 1000, "log": l + "\n", "app": "shop", "hostname": "web-1"})
		if err != nil {
			t.Fatal(err)
		}
		body.Write(b)
	}
	if n, err := s.Take("fluentbit", []byte(body.String()), at); err != nil || n != len(lines) {
		t.Fatalf("%d of %d taken: %v", n, len(lines), err)
	}
}

func fill(t *testing.T, s *target.Source) {
	t.Helper()
	for i := range 60 {
		at := noon.Add(time.Duration(i-60) * time.Minute)
		send(t, s, at, fmt.Sprintf("GET /cart took %d ms", i), fmt.Sprintf("flushed %d entries of the queue", i), fmt.Sprintf("heartbeat number %d from the scheduler", i))
	}
	for i := range 30 {
		at := noon.Add(time.Duration(i) * time.Second)
		send(t, s, at, fmt.Sprintf("\x1b[31mERROR payment refused: password=hunter2-is-long code %d\x1b[0m", i), fmt.Sprintf("GET /cart took %d ms", i))
	}
}

func TestWhatIsNewInTheLogIsTold(t *testing.T) {
	file := filepath.Join(t.TempDir(), "d", "logs")
	s := open(t, file)
	fill(t, s)
	check := func(s *target.Source) {
		t.Helper()
		answer, err := s.Ask(t.Context(), question())
		if err != nil {
			t.Fatal(err)
		}
		got := map[logs.Trend]diagnostics.LogTrend{}
		for _, l := range answer.Logs {
			got[l.Trend] = l
		}
		fresh := got[logs.Fresh]
		if fresh.Count != 30 || !strings.Contains(fresh.Example, "payment refused") || strings.Contains(fresh.Example, "hunter2") || strings.Contains(fresh.Example, "\x1b") || fresh.Since.Sub(noon).Abs() > 10*time.Second {
			t.Errorf("new: %+v", fresh)
		}
		if burst := got[logs.Bursting]; burst.Count < 30 || !strings.Contains(burst.Example, "GET /cart") {
			t.Errorf("bursting: %+v", burst)
		}
	}
	check(s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(file); err != nil || strings.Contains(string(b), "hunter2") {
		t.Errorf("a secret was kept: %v", err)
	}
	torn, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := torn.WriteString(`{"t":17`); err != nil || torn.Close() != nil {
		t.Fatal("the file could not be torn")
	}
	again := open(t, file) // what was answered for outlives the process
	defer again.Close()
	check(again)
	send(t, again, noon.Add(time.Minute), "after the torn line")
	third := open(t, file)
	defer third.Close()
	if got := third.Stats().Lines; got != again.Stats().Lines {
		t.Errorf("%d lines, not %d", got, again.Stats().Lines)
	}
}

func TestALogOfAnotherServiceIsNotTold(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "logs"))
	defer s.Close()
	fill(t, s)
	q := question()
	q.Incident = &incidents.Incident{Service: "mail"}
	if answer, err := s.Ask(t.Context(), q); err != nil || len(answer.Logs) > 0 {
		t.Errorf("%+v %v", answer, err)
	}
	q.Incident = &incidents.Incident{Common: incidents.NewLabels([]incidents.Label{{Name: "instance", Value: "web-1:9100"}})}
	if answer, err := s.Ask(t.Context(), q); err != nil || len(answer.Logs) == 0 {
		t.Errorf("by its host: %+v %v", answer, err)
	}
}

// Two customers have a service, and a host, of one name.
func TestALogOfAnotherCustomerIsNotTold(t *testing.T) {
	var heard []string
	file := filepath.Join(t.TempDir(), "logs")
	config := target.Config{
		File: file, Clean: steps.NewRedactor().Excerpt,
		Whose: func(source string) string { return map[string]string{"fluentbit": "acme", "relay": diagnostics.Everybody}[source] },
		Heard: func(_ time.Time, whose, service, _, _ string) { heard = append(heard, whose+"/"+service) },
	}
	s, err := target.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s)
	for i := range 150 { // more than are told apart
		if _, err := s.Take("relay", fmt.Appendf(nil, `{"service":"s%d","message":"x"}`, i), noon); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Take("unknown", []byte(`{"service":"late","message":"x"}`), noon); err != nil || s.Close() != nil {
		t.Fatal(err)
	}
	again, err := target.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	for customer, want := range map[string]struct{ trends, left int }{"acme": {2, 51}, "globex": {0, 51}, "": {0, 52}} {
		q := question(incidents.Label{Name: "host", Value: "web-1"})
		q.Incident.Customer = customer
		if answer, err := again.Ask(t.Context(), q); err != nil || len(answer.Logs) != want.trends || answer.Left != want.left {
			t.Errorf("%q is told %+v: %v", customer, answer, err)
		}
	}
	if heard[0] != "acme/shop" || heard[len(heard)-1] != "/late" {
		t.Errorf("heard %q … %q", heard[0], heard[len(heard)-1])
	}
}

func TestEverySenderIsUnderstood(t *testing.T) {
	for body, want := range map[string]target.Line{
		`[{"message":"a","service":"s","host":"h","time":"2026-03-04T11:59:00Z"}]`: {At: noon.Add(-time.Minute), Service: "s", Host: "h", Text: "a"},
		`{"MESSAGE":"a","_HOSTNAME":"h","SYSLOG_IDENTIFIER":"s"}`:                  {At: noon, Service: "s", Host: "h", Text: "a"},
		`{"msg":"a","ts":1772625540000}`:                                           {At: noon.Add(-time.Minute), Text: "a"},
		"plain text\n\n":                                                           {At: noon, Text: "plain text"},
		`[error] no json`:                                                          {At: noon, Text: "[error] no json"},
		`{"log":"a","time":"1999-01-01T00:00:00Z"}`:                                {At: noon, Text: "a"}, // a clock that is off
		"\x00\xff\xfe binary":                                                      {At: noon, Text: "\x00\xff\xfe binary"},
	} {
		got, err := target.Decode([]byte(body), noon)
		if err != nil || len(got) != 1 || !got[0].At.Equal(want.At) || got[0].Service != want.Service || got[0].Host != want.Host || got[0].Text != want.Text {
			t.Errorf("%q: %+v %v", body, got, err)
		}
	}
	if got, err := target.Decode([]byte("  \n"), noon); err != nil || len(got) != 0 {
		t.Errorf("nothing: %+v %v", got, err)
	}
	if _, err := target.Decode([]byte(`{"log":"a"}{"log":`), noon); incidents.CodeOf(err) != incidents.Invalid {
		t.Errorf("half an object: %v", err)
	}
	for _, body := range []string{`{"service":5}`, `[{"service":"a"},{"text":"b"}]`} {
		if _, err := target.Decode([]byte(body), noon); incidents.CodeOf(err) != incidents.Invalid || !strings.Contains(err.Error(), "message") {
			t.Errorf("%s: %v", body, err)
		}
	}
	if _, err := target.Decode([]byte(strings.Repeat("x\n", 60_000)), noon); incidents.CodeOf(err) != incidents.TooLarge {
		t.Errorf("too many lines: %v", err)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "logs"))
	defer s.Close()
	var body strings.Builder
	for i := range 150 {
		fmt.Fprintf(&body, `{"service":"s%d","message":"%s"}`, i, strings.Repeat("\\u0007é", 5000))
	}
	if _, err := s.Take("x", []byte(body.String()), noon); err != nil {
		t.Fatal(err)
	}
	answer, err := s.Ask(t.Context(), question())
	if err != nil || answer.Left != 50 || s.Stats().Unplaced != 50 {
		t.Errorf("%d left out are told, %+v: %v", answer.Left, s.Stats(), err)
	}
}
