package logs_test

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/analysis/logs"
	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/kept"
	target "github.com/hikeshi-ops/hikeshi/integrations/logs"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
	"github.com/hikeshi-ops/hikeshi/storage"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// clock is this machine's, which shows the day of the lines.
func clock() time.Time { return noon }

func store(t *testing.T) storage.Store {
	t.Helper()
	s, err := storage.Open(t.Context(), storage.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// replica is one of several over one store.
func replica(s kept.Store, self string) *target.Source {
	return target.New(target.Config{Store: s, Self: self, Clean: steps.NewRedactor("hunter2-is-long").Excerpt, Logger: slog.New(slog.DiscardHandler), Now: clock})
}

func question(labels ...incidents.Label) diagnostics.Question {
	return diagnostics.Question{
		Incident: &incidents.Incident{Service: "shop", Common: incidents.NewLabels(labels)},
		From:     noon.Add(-time.Hour), To: noon.Add(2 * time.Minute), Alert: noon,
	}
}

type line struct {
	at   time.Time
	text string
}

// send posts one body as Fluent Bit does.
func send(t *testing.T, s *target.Source, lines ...line) {
	t.Helper()
	var body strings.Builder
	for _, l := range lines {
		b, err := json.Marshal(map[string]any{"date": float64(l.at.UnixMilli()) / 1000, "log": l.text + "\n", "app": "shop", "hostname": "web-1"})
		if err != nil {
			t.Fatal(err)
		}
		body.Write(b)
	}
	if n, _, err := s.Take("fluentbit", []byte(body.String()), noon.Add(time.Minute)); err != nil || n != len(lines) {
		t.Fatalf("%d of %d taken: %v", n, len(lines), err)
	}
}

// usual is an hour before the alert, broke what came with it.
func usual() (all []line) {
	for i := range 60 {
		at := noon.Add(time.Duration(i-60) * time.Minute)
		all = append(all, line{at, fmt.Sprintf("GET /cart took %d ms", i)}, line{at, fmt.Sprintf("flushed %d entries of the queue", i)}, line{at, fmt.Sprintf("heartbeat number %d from the scheduler", i)})
	}
	return all
}

func broke() (all []line) {
	for i := range 30 {
		at := noon.Add(time.Duration(i) * time.Second)
		all = append(all, line{at, fmt.Sprintf("\x1b[31mERROR payment refused: password=hunter2-is-long code %d\x1b[0m", i)}, line{at, fmt.Sprintf("GET /cart took %d ms", i)})
	}
	return all
}

// Whichever replica was sent the lines, all tell the same, and so does one that starts
// later. No secret gets into the store.
func TestWhatIsNewInTheLogIsTold(t *testing.T) {
	s := store(t)
	one, two := replica(s, "one"), replica(s, "two")
	send(t, one, usual()...)
	send(t, two, broke()...)
	for name, x := range map[string]*target.Source{"one": one, "two": two, "one that starts later": replica(s, "three")} {
		answer, err := x.Ask(t.Context(), question())
		if err != nil {
			t.Fatal(name, err)
		}
		got := map[logs.Trend]diagnostics.LogTrend{}
		for _, l := range answer.Logs {
			got[l.Trend] = l
		}
		fresh := got[logs.Fresh]
		if fresh.Count != 30 || !strings.Contains(fresh.Example, "payment refused") || strings.Contains(fresh.Example, "hunter2") || strings.Contains(fresh.Example, "\x1b") || fresh.Since.Sub(noon).Abs() > 10*time.Second {
			t.Errorf("%s: new: %+v", name, fresh)
		}
		if burst := got[logs.Bursting]; burst.Count < 30 || !strings.Contains(burst.Example, "GET /cart") {
			t.Errorf("%s: bursting: %+v", name, burst)
		}
		if n := x.Stats().Lines; n != 240 {
			t.Errorf("%s knows of %d lines, not 240", name, n)
		}
		again, err := x.Ask(t.Context(), question())
		if err != nil || len(again.Logs) != len(answer.Logs) || x.Stats().Lines != 240 {
			t.Errorf("%s counts what it read again: %+v %v", name, x.Stats(), err)
		}
	}
	readable := replica(open{s, func(body []byte) {
		r := flate.NewReader(bytes.NewReader(body[17:]))
		b, err := io.ReadAll(r)
		if err != nil || bytes.Contains(b, []byte("hunter2")) || !bytes.Contains(b, []byte(`"h":"web-1"`)) {
			t.Errorf("kept is %s: %v", b, err)
		}
	}}, "four")
	if err := readable.Catch(t.Context()); err != nil || readable.Stats().Lines != 240 {
		t.Errorf("%+v %v", readable.Stats(), err)
	}
}

// open shows what is kept.
type open struct {
	kept.Store
	see func(body []byte)
}

func (o open) PullRings(ctx context.Context, kind string, after int64, most int) ([]incidents.RingItem, int64, error) {
	items, last, err := o.Store.PullRings(ctx, kind, after, most)
	for _, i := range items {
		o.see(i.Body)
	}
	return items, last, err
}

// A store that is away is said to the sender, who keeps the lines, and beside what is
// known here.
func TestAStoreThatIsAway(t *testing.T) {
	s := store(t)
	x := replica(s, "one")
	send(t, x, usual()...)
	send(t, x, broke()...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n, _, err := x.Take("fluentbit", []byte("lost?"), noon); incidents.CodeOf(err) != incidents.Unavailable || n != 0 {
		t.Errorf("%d taken: %v", n, err)
	}
	answer, err := x.Ask(t.Context(), question())
	said, ok := errors.AsType[*incidents.Error](err)
	if !ok || said.Phrase != "clue.missing.others" || len(answer.Logs) == 0 || x.Stats().Lines != 240 {
		t.Errorf("%d trends: %v", len(answer.Logs), err)
	}
}

func TestALogOfAnotherServiceIsNotTold(t *testing.T) {
	s := replica(store(t), "one")
	send(t, s, append(usual(), broke()...)...)
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
	config := target.Config{
		Store: store(t), Self: "one", Clean: steps.NewRedactor().Excerpt, Logger: slog.New(slog.DiscardHandler), Now: clock,
		Whose: func(source string) string {
			return map[string]string{"fluentbit": "acme", "relay": diagnostics.Everybody}[source]
		},
		Heard: func(_ time.Time, whose, service, _, _ string, own bool) {
			heard = append(heard, fmt.Sprint(whose, "/", service, " ", own))
		},
	}
	s := target.New(config)
	send(t, s, append(usual(), broke()...)...)
	var relayed []byte
	for i := range 150 { // more than are told apart
		relayed = fmt.Appendf(relayed, `{"service":"s%d","message":"x"}`, i)
	}
	if _, _, err := s.Take("relay", relayed, noon); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Take("unknown", []byte(`{"service":"late","message":"x"}`), noon); err != nil {
		t.Fatal(err)
	}
	if n := len(heard); n != 240+150+1 || heard[0] != "acme/shop true" || heard[n-1] != "/late true" {
		t.Errorf("heard %q … %q of %d", heard[0], heard[n-1], n)
	}
	config.Self, heard = "two", nil
	again := target.New(config)
	for customer, want := range map[string]struct{ trends, left int }{"acme": {2, 50}, "globex": {0, 50}, "": {0, 50}} {
		q := question(incidents.Label{Name: "host", Value: "web-1"})
		q.Incident.Customer = customer
		if answer, err := again.Ask(t.Context(), q); err != nil || len(answer.Logs) != want.trends || answer.Left != want.left {
			t.Errorf("%q is told %+v: %v", customer, answer, err)
		}
	}
	if heard[0] != "acme/shop false" || heard[len(heard)-1] != "/late false" {
		t.Errorf("heard %q … %q", heard[0], heard[len(heard)-1])
	}
}

// A relay of everybody's sends what runs on one host, of several customers.
func TestALineOfTheHostAloneIsNoCustomers(t *testing.T) {
	s := target.New(target.Config{
		Store: store(t), Self: "one", Clean: steps.NewRedactor().Excerpt, Logger: slog.New(slog.DiscardHandler), Now: clock,
		Whose: func(source string) string {
			return map[string]string{"relay": diagnostics.Everybody, "acme-agent": "acme"}[source]
		},
	})
	take := func(source, body string) {
		t.Helper()
		if _, _, err := s.Take(source, []byte(body), noon); err != nil {
			t.Fatal(err)
		}
	}
	old := `{"service":"globex-billing","host":"web-1","message":"cron started","time":"2026-03-04T11:10:00Z"}`
	take("relay", old+strings.Repeat(`{"service":"globex-billing","host":"web-1","message":"card of Ms Globex refused"}`, 20))
	told := func(customer string, labels ...incidents.Label) (all []string) {
		t.Helper()
		q := question(labels...)
		q.Incident.Customer = customer
		answer, err := s.Ask(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range answer.Logs {
			all = append(all, l.Example)
		}
		slices.Sort(all)
		return all
	}
	host := incidents.Label{Name: "instance", Value: "web-1:9100"}
	if got := told("acme", host); len(got) > 0 {
		t.Errorf("acme is told another's: %q", got)
	}
	if got := told("", host); !slices.Contains(got, "card of Ms Globex refused") {
		t.Errorf("who sees everything is told %q", got)
	}
	take("relay", strings.NewReplacer("globex-billing", "shop", "web-1", "web-2").Replace(old)+strings.Repeat(`{"service":"shop","host":"web-2","message":"cart is broken"}`, 20))
	take("acme-agent", strings.ReplaceAll(old, "globex-billing", "kernel")+strings.Repeat(`{"service":"kernel","host":"web-1","message":"out of memory"}`, 20))
	if got := told("acme", host); !slices.Contains(got, "cart is broken") || !slices.Contains(got, "out of memory") || slices.Contains(got, "card of Ms Globex refused") {
		t.Errorf("by its service, and of its own hosts, acme is told %q", got)
	}
}

// The hundred hosts of one customer take no room from another's, and what found no
// place is told as long as it matters.
func TestEachCustomerHasAShareOfStreams(t *testing.T) {
	s := target.New(target.Config{
		Store: store(t), Self: "one", Clean: steps.NewRedactor().Excerpt, Logger: slog.New(slog.DiscardHandler), Now: clock,
		Whose: func(source string) string { return source },
	})
	var pods []byte
	for i := range 130 {
		pods = fmt.Appendf(pods, `{"service":"shop","host":"pod-%d","message":"x"}`, i)
	}
	for _, source := range []string{"acme", "globex"} {
		if _, _, err := s.Take(source, pods, noon); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := s.Take("initech", []byte(`{"service":"shop","message":"x"}`), noon); err != nil {
		t.Fatal(err)
	}
	left := func(customer string, at time.Time) int {
		t.Helper()
		q := question()
		q.Incident.Customer, q.From, q.To = customer, at.Add(-time.Hour), at.Add(time.Minute)
		answer, err := s.Ask(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		return answer.Left
	}
	for customer, want := range map[string]int{"acme": 30, "globex": 30, "initech": 0} {
		if got := left(customer, noon); got != want {
			t.Errorf("%s: %d left out", customer, got)
		}
	}
	if got := left("acme", noon.Add(2*time.Hour)); got != 0 {
		t.Errorf("two hours later %d are told", got)
	}
}

// named notes which rings there are.
type named struct {
	kept.Store
	rings map[string]bool
}

func (n *named) PushRings(ctx context.Context, kind string, bound incidents.RingBound, items []incidents.RingItem) (int64, error) {
	for _, i := range items {
		n.rings[i.Ring] = true
	}
	return n.Store.PushRings(ctx, kind, bound, items)
}

// Everybody's senders have one part, and each its own share in it: one that names a
// service for each request takes no room from another, on no replica.
func TestEachOfEverybodysSendersHasAShare(t *testing.T) {
	shared := &named{Store: store(t), rings: map[string]bool{}}
	of := func(self string) *target.Source {
		return target.New(target.Config{
			Store: shared, Self: self, Clean: steps.NewRedactor().Excerpt, Logger: slog.New(slog.DiscardHandler), Now: clock,
			Whose: func(string) string { return diagnostics.Everybody },
		})
	}
	one, two := of("one"), of("two")
	var requests []byte
	for i := range 150 {
		requests = fmt.Appendf(requests, `{"service":"request-%d","message":"x"}`, i)
	}
	for source, body := range map[string]string{
		"noisy": string(requests),
		"quiet": `{"service":"shop","message":"started","time":"2026-03-04T11:10:00Z"}` + strings.Repeat(`{"service":"shop","message":"cart is broken"}`, 20),
	} {
		if _, _, err := one.Take(source, []byte(body), noon); err != nil {
			t.Fatal(err)
		}
	}
	for name, s := range map[string]*target.Source{"who was sent them": one, "who reads them": two} {
		answer, err := s.Ask(t.Context(), question())
		if err != nil || len(answer.Logs) != 1 || answer.Logs[0].Example != "cart is broken" || answer.Left != 50 || s.Stats().Unplaced != 50 {
			t.Errorf("%s tells %+v, and %+v: %v", name, answer, s.Stats(), err)
		}
	}
	if n := len(shared.rings); n != 100+1+1 {
		t.Errorf("%d rings: those of a sender that have no place are not one", n)
	}
}

func TestEverySenderIsUnderstood(t *testing.T) {
	for body, want := range map[string]target.Line{
		`[{"message":"a","service":"s","host":"h","time":"2026-03-04T11:59:00Z"}]`:              {At: noon.Add(-time.Minute), Service: "s", Host: "h", Text: "a"},
		`{"MESSAGE":"a","_HOSTNAME":"h","SYSLOG_IDENTIFIER":"s"}`:                               {At: noon, Service: "s", Host: "h", Text: "a"},
		`{"msg":"a","ts":1772625540000}`:                                                        {At: noon.Add(-time.Minute), Text: "a"},
		`{"MESSAGE":[27,91,109,97],"message":[256],"msg":["a"]}`:                                {At: noon, Text: "\x1b[ma"},
		`{"MESSAGE":"a","_SYSTEMD_UNIT":"s.service","__REALTIME_TIMESTAMP":"1772625540000000"}`: {At: noon.Add(-time.Minute), Service: "s", Text: "a"},
		`{"line":"a","ts":"1772625540000000000"}`:                                               {At: noon.Add(-time.Minute), Text: "a"},
		`{"msg":"a","ts":"inf"}`:                                                                {At: noon, Text: "a"},
		`[] of no element`:                                                                      {At: noon, Text: "[] of no element"},
		`["a","b"]`:                                                                             {At: noon, Text: `["a","b"]`},
		"plain text\n\n":                                                                        {At: noon, Text: "plain text"},
		`[error] no json`:                                                                       {At: noon, Text: "[error] no json"},
		`{"log":"a","time":"1999-01-01T00:00:00Z"}`:                                             {At: noon, Text: "a"}, // a clock that is off
		"\x00\xff\xfe binary":                                                                   {At: noon, Text: "\x00\xff\xfe binary"},
	} {
		got, _, err := target.Decode([]byte(body), noon)
		if err != nil || len(got) != 1 || !got[0].At.Equal(want.At) || got[0].Service != want.Service || got[0].Host != want.Host || got[0].Text != want.Text {
			t.Errorf("%q: %+v %v", body, got, err)
		}
	}
	if got, _, err := target.Decode([]byte("  \n"), noon); err != nil || len(got) != 0 {
		t.Errorf("nothing: %+v %v", got, err)
	}
	if _, _, err := target.Decode([]byte(`{"log":"a"}{"log":`), noon); incidents.CodeOf(err) != incidents.Invalid {
		t.Errorf("half an object: %v", err)
	}
	for _, body := range []string{`{"service":5}`, `[{"service":"a"},{"text":"b"}]`} {
		if _, _, err := target.Decode([]byte(body), noon); incidents.CodeOf(err) != incidents.Invalid || !strings.Contains(err.Error(), "message") {
			t.Errorf("%s: %v", body, err)
		}
	}
	if _, _, err := target.Decode([]byte(strings.Repeat("x\n", 60_000)), noon); incidents.CodeOf(err) != incidents.TooLarge {
		t.Errorf("too many lines: %v", err)
	}
}

// Nothing of a body is lost, nor does one line get what another said.
func TestEveryObjectOfABodyIsALine(t *testing.T) {
	for body, want := range map[string]string{
		`[{"message":"a","service":"s"},{"message":"b"}][{"message":"c"}]`:         "s/a /b /c +0",
		`[{"message":"a","service":"s"}]` + "\n" + `{"message":"b"}` + "\n" + `[]`: "s/a /b +0",
		`[{"message":"a"},{"message":"b"},"oops",null,[{"message":"c"}]]`:          "/a /b +3",
		`[ ]`: "+0",
	} {
		lines, leftOut, err := target.Decode([]byte(body), noon)
		var got strings.Builder
		for _, l := range lines {
			got.WriteString(l.Service + "/" + l.Text + " ")
		}
		fmt.Fprintf(&got, "+%d", leftOut)
		if err != nil || got.String() != want {
			t.Errorf("%s: %s, not %s: %v", body, got.String(), want, err)
		}
	}
	for _, body := range []string{
		`[{"message":"a"},{"message":"b"}`, `[{"message":"a"},{"mess`, `[{"message":"a"},]`, `[{"message":"a"}}`, `{"message":"a"}}{"message":"b"}`,
		`[{"message":"a"}] text`, `{"message":"a"}]`, `[{`, `{"message":"a"},{"message":"b"}`,
	} {
		if lines, _, err := target.Decode([]byte(body), noon); incidents.CodeOf(err) != incidents.Invalid || len(lines) > 0 {
			t.Errorf("%s: %+v %v", body, lines, err)
		}
	}
}

// What has no text among lines that have one is left out, and that is told.
func TestWhatHasNoTextIsCounted(t *testing.T) {
	s := replica(store(t), "one")
	for body, want := range map[string]int{
		`{"log":"a"}{"service":"s"}{"log":""}{"log":"b"}`:      2,
		`[{"message":"a"},{"message":5},{"message":"b"}]`:      1,
		`{"service":"s","message":"a"}` + "\n" + `{"msg":"b"}`: 0,
	} {
		if n, leftOut, err := s.Take("x", []byte(body), noon); err != nil || n != 2 || leftOut != want {
			t.Errorf("%s: %d taken, %d left out: %v", body, n, leftOut, err)
		}
	}
	if got := s.Stats(); got.Lines != 6 || got.Textless != 3 {
		t.Errorf("%+v", got)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	s := replica(store(t), "one")
	many := func(name string, at time.Time) {
		t.Helper()
		var body strings.Builder
		for i := range 75 {
			fmt.Fprintf(&body, `{"service":"%s%d","message":"%s"}`, name, i, strings.Repeat("\\u0007é", 1500))
		}
		if _, _, err := s.Take("x", []byte(body.String()), at); err != nil {
			t.Fatal(err)
		}
	}
	many("a", noon)
	many("b", noon.Add(time.Second))
	answer, err := s.Ask(t.Context(), question())
	if err != nil || answer.Left != 50 || s.Stats().Unplaced != 50 {
		t.Errorf("%d left out are told, %+v: %v", answer.Left, s.Stats(), err)
	}
	many("c", noon.Add(diagnostics.BookKeeps+time.Minute)) // streams that ended make room
	if n := s.Stats().Unplaced; n != 50 {
		t.Errorf("%d have no place", n)
	}
}
