package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/hikeshi-ops/hikeshi/analysis/movers"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// plant is a source whose series jumps at times, the store's settings and the log.
type plant struct {
	settings Settings

	mu    sync.Mutex
	kept  map[string]incidents.Document
	told  []string
	keys  map[incidents.Key]int // how many fire
	down  bool
	full  bool // the log takes nothing
	asked int
	trend []diagnostics.LogTrend
	jumps func(t int64) bool
}

func newPlant(jumps func(t int64) bool) *plant {
	return &plant{kept: map[string]incidents.Document{}, keys: map[incidents.Key]int{}, jumps: jumps}
}

func (p *plant) Setting(_ context.Context, name string) (incidents.Document, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.kept[name], nil
}

func (p *plant) PutSetting(_ context.Context, name string, expect int64, body []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kept[name].Version != expect {
		return incidents.ErrConflict
	}
	p.kept[name] = incidents.Document{Name: name, Version: expect + 1, Body: body}
	return nil
}

func (p *plant) Append(_ context.Context, b *incidents.Batch) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.full {
		return errors.New("full")
	}
	for i := range b.Alerts {
		a, word := &b.Alerts[i], "fires"
		if p.keys[a.Fingerprint()]++; a.Resolved {
			word = "is over"
			p.keys[a.Fingerprint()] = 0
		}
		p.told = append(p.told, a.Name()+" "+word+": "+a.Annotations.Get("summary"))
	}
	return nil
}

func (p *plant) Name() string { return "prometheus" }

func (p *plant) Ask(context.Context, diagnostics.Question) (diagnostics.Answer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return diagnostics.Answer{Logs: p.trend}, nil
}

func (p *plant) Graph(_ context.Context, query string, from, to time.Time) (diagnostics.Answer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	if p.down {
		return diagnostics.Answer{}, errors.New("connection refused by \x1bhunter2")
	}
	s := diagnostics.Series{Title: query, Of: "instance=web-1", URL: "http://prometheus/graph"}
	for t := from.Unix(); t <= to.Unix(); t += 60 {
		v := 10 + float64(t/60*7919%3)
		if p.jumps(t) {
			v *= 3.4
		}
		s.Points = append(s.Points, movers.Point{T: t, V: v})
	}
	return diagnostics.Answer{Series: []diagnostics.Series{s}}, nil
}

// logsOf is the same under the name that has what was sent.
type logsOf struct{ *plant }

func (logsOf) Name() string { return logsName }

// replica is a process that watches one rule; now is its clock.
func (p *plant) replica(t *testing.T, r *Rule, now func() time.Time) *Watcher {
	t.Helper()
	settings := Settings(p)
	if p.settings != nil {
		settings = p.settings
	}
	w, err := New(Options{
		Rules: []Rule{*r}, Tally: NewTally([]Rule{*r}, now), Sources: []diagnostics.Owned{{Source: p}, {Source: logsOf{p}}}, Settings: settings, Log: p, Now: now, Logger: slog.New(slog.DiscardHandler),
		Say:   func(key string, args ...string) string { return phrases.T(phrases.English, key, args...) },
		Clean: func(s string) string { return strings.ReplaceAll(s, "hunter2", "[redacted]") },
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// look has a replica look at minutes from to to, with its clock there.
func look(t *testing.T, from, to int, clock *time.Time, replicas ...*Watcher) {
	t.Helper()
	for i := from; i <= to; i++ {
		*clock = time.Unix(minute(i)+1, 0)
		for _, w := range replicas {
			if err := w.watches[0].look(t.Context(), minute(i)); err != nil {
				t.Fatalf("minute %d: %v", i, err)
			}
		}
	}
}

func (p *plant) said(t *testing.T, want ...string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if got := strings.Join(p.told, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("told\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	p.told = nil
}

const (
	fires  = "errors fires: Since 12:03 UTC: instance=web-1 is 3.4× its usual (11 → 37.4)."
	isOver = "errors is over: instance=web-1 is as usual again."
)

// TestTwoReplicasARestartAndAnEnd: over a real store. It fires once, a process
// that knows nothing goes on where the others were, and it ends once.
func TestTwoReplicasARestartAndAnEnd(t *testing.T) {
	t.Parallel()
	store, err := storage.Open(t.Context(), storage.Config{Dir: filepath.Join(t.TempDir(), "data"), Shards: 1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	p := newPlant(func(t int64) bool { return t >= minute(3) && t < minute(9) })
	p.settings = store
	clock := time.Unix(noon, 0)
	now := func() time.Time { return clock }
	a, b := p.replica(t, series(), now), p.replica(t, series(), now)
	look(t, 0, 4, &clock, a, b)
	p.said(t)
	if p.asked != 5 {
		t.Errorf("asked %d times in five minutes", p.asked)
	}
	a, b = p.replica(t, series(), now), p.replica(t, series(), now) // while it holds
	look(t, 5, 6, &clock, b, a)
	p.said(t, fires)
	a = p.replica(t, series(), now) // while it fires
	look(t, 8, 10, &clock, a, b)    // minute 7 is made up for
	p.said(t)
	if n := a.watches[0].counts.n[late].Load(); n != 1 {
		t.Errorf("%d late looks are counted, not one", n)
	}
	look(t, 11, 13, &clock, b, a)
	p.said(t, isOver)
	if len(p.keys) != 1 {
		t.Errorf("the end is of another alert: %v", p.keys)
	}
}

// TestARemovedRuleEndsWhatItRaised: with the labels it was raised with, once, however
// often it is looked for; a replica that still has the rule is ended again.
func TestARemovedRuleEndsWhatItRaised(t *testing.T) {
	t.Parallel()
	p := newPlant(func(t int64) bool { return t >= minute(3) })
	clock := time.Unix(noon, 0)
	now := func() time.Time { return clock }
	rule := series()
	rule.Labels = incidents.LabelsFromMap(map[string]string{"service": "shop", "severity": "critical"})
	old := p.replica(t, rule, now)
	removed := func(w *Watcher) {
		t.Helper()
		if err := w.removed(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	removed(old)
	look(t, 0, 6, &clock, old)
	p.said(t, fires)
	without := p.replica(t, rule, now)
	without.watches = nil
	const gone = "errors is over: The rule errors was changed or removed; nobody watches instance=web-1 any more."
	p.full = true
	if without.removed(t.Context()) == nil {
		t.Error("it was told to a log that takes nothing")
	}
	p.full, clock = false, clock.Add(claimTime)
	removed(without)
	p.said(t, gone)
	for key, n := range p.keys {
		if n != 0 || len(p.keys) != 1 {
			t.Errorf("%v fires still: the end is of another alert", key)
		}
	}
	look(t, 7, 8, &clock, old)
	removed(without)
	p.said(t, fires, gone)
	removed(without)
	removed(without)
	p.said(t)
	if got := string(p.kept[register].Body); got != "[]" && got != "null" {
		t.Errorf("still looked for: %s", got)
	}
	removed(old)
	if got := string(p.kept[register].Body); got != `["errors"]` {
		t.Errorf("registered are %s", got)
	}
}

// TestAnAlertIsNotLost: the log is away when it fires; whoever looks next tells it.
func TestAnAlertIsNotLost(t *testing.T) {
	t.Parallel()
	p := newPlant(func(t int64) bool { return t >= minute(3) })
	clock := time.Unix(noon, 0)
	now := func() time.Time { return clock }
	a, b := p.replica(t, series(), now), p.replica(t, series(), now)
	look(t, 0, 4, &clock, a)
	p.full = true
	clock = time.Unix(minute(5)+1, 0)
	if err := a.watches[0].look(t.Context(), minute(5)); err == nil {
		t.Fatal("nobody heard that the log is full")
	}
	p.full = false
	if err := b.watches[0].look(t.Context(), minute(5)); !errors.Is(err, errLater) {
		t.Fatalf("it is told by two at once: %v", err)
	}
	look(t, 6, 6, &clock, b)
	p.said(t, fires)
	look(t, 7, 7, &clock, a, b)
	p.said(t)
}

func TestASourceThatIsDown(t *testing.T) {
	t.Parallel()
	for after, want := range map[time.Duration][]string{
		0:               nil,
		2 * time.Minute: {"errors fires: prometheus has not answered since 12:02 UTC: errors is not being watched.", "errors is over: prometheus answers again; errors is being watched."},
	} {
		p := newPlant(func(t int64) bool { return t >= minute(3) })
		r := series()
		r.DownAfter = after
		clock := time.Unix(noon, 0)
		w := p.replica(t, r, func() time.Time { return clock })
		look(t, 0, 1, &clock, w)
		p.down = true
		look(t, 2, 6, &clock, w)
		if trouble := w.watches[0].trouble; !strings.Contains(trouble, "[redacted]") || w.watches[0].counts.n[failed].Load() != 5 {
			t.Errorf("said %q", trouble)
		}
		p.down = false
		look(t, 7, 8, &clock, w)
		if want == nil {
			p.said(t, fires) // it jumped meanwhile
			continue
		}
		p.said(t, want[0], fires, want[1])
	}
}

// TestAnotherRuleEndsWhatFired: and starts afresh.
func TestAnotherRuleEndsWhatFired(t *testing.T) {
	t.Parallel()
	p := newPlant(func(t int64) bool { return t >= minute(3) })
	clock := time.Unix(noon, 0)
	now := func() time.Time { return clock }
	look(t, 0, 5, &clock, p.replica(t, series(), now))
	other := series()
	other.Query = "down"
	look(t, 6, 9, &clock, p.replica(t, other, now))
	p.said(t, fires, "errors is over: The rule errors was changed or removed; nobody watches instance=web-1 any more.", fires)
	if len(p.keys) != 1 {
		t.Errorf("the end is of another alert: %v", p.keys)
	}
}

func TestLogs(t *testing.T) {
	t.Parallel()
	p := newPlant(nil)
	clock := time.Unix(noon, 0)
	now := func() time.Time { return clock }
	rule := Rule{Name: "oom", Kind: Logs, Service: "shop", Keyword: "Out of Memory", Count: 2, Every: time.Minute, Looks: 1, Of: 1, Clear: 2 * time.Minute}
	w, idle := p.replica(t, &rule, now), p.replica(t, &rule, now)
	hear := func(n int, service string) {
		for i := range n {
			w.Tally.Add(clock, "", service, "web-1", fmt.Sprintf("kernel: OUT OF MEMORY: killed %d", i), true)
		}
	}
	look(t, 0, 0, &clock, w, idle)
	hear(1, "shop")
	hear(5, "mail")
	look(t, 1, 1, &clock, w, idle)
	p.said(t) // one is less than two
	hear(3, "shop")
	w.Tally.Add(clock.Add(-2*mostWait), "", "shop", "web-1", "out of memory, long ago", true)
	look(t, 2, 3, &clock, idle, w)
	p.said(t, "oom fires: “Out of Memory” in the log, 3× since 12:02 UTC.")
	look(t, 4, 5, &clock, w, idle)
	p.said(t, "oom is over: Nothing of the kind in the log any more.")

	rule = Rule{Name: "fresh", Kind: Logs, Service: "shop", Trends: []string{"new"}, Count: 2, Every: time.Minute, Looks: 1, Of: 1, Clear: time.Minute}
	w = p.replica(t, &rule, now)
	p.trend = []diagnostics.LogTrend{{Trend: "bursting", Count: 9}, {Trend: "new", Count: 1}}
	look(t, 6, 6, &clock, w)
	p.said(t)
	p.trend = append(p.trend, diagnostics.LogTrend{Trend: "new", Count: 7, Example: "payment refused"})
	look(t, 7, 7, &clock, w)
	p.said(t, "fresh fires: Lines of a new or a bursting kind: 7 since 12:07 UTC.")
}

// TestALineThatComesWhileOthersAreJudgedIsCounted: shippers send a few seconds late, and
// what was seen takes a while to be written down. When it cannot be, it is seen again.
func TestALineThatComesWhileOthersAreJudgedIsCounted(t *testing.T) {
	t.Parallel()
	rule := Rule{Name: "oom", Kind: Logs, Keyword: "oom", Count: 1, Every: time.Minute}
	clock := time.Unix(noon+60, 0)
	tally := NewTally([]Rule{rule}, func() time.Time { return clock })
	hear := func(second int64) { tally.Add(time.Unix(noon+second, 0), "", "shop", "web-1", "oom", true) }
	counted := func(to int64) (n float64) {
		for _, x := range tally.sights(&rule, noon, noon+to) {
			n += x.Value
		}
		return n
	}
	hear(30)
	if n := counted(60); n != 1 {
		t.Fatalf("%g of one line", n)
	}
	hear(57) // of the minute that is being judged
	if n := counted(60); n != 1 {
		t.Errorf("asked again, the minute has %g lines", n)
	}
	tally.done(&rule, noon+60)
	clock = clock.Add(time.Minute)
	if n := counted(120); n != 1 {
		t.Errorf("the next minute has %g lines: the late one is lost", n)
	}
}

// TestRunLooksOnTheMinute: two processes, each with its own timers.
func TestRunLooksOnTheMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now().Unix() / 60 * 60
		p := newPlant(func(at int64) bool { return at >= begin+600 && at < begin+1200 })
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() { p.replica(t, series(), time.Now).Run(ctx) })
		}
		time.Sleep(30 * time.Minute)
		synctest.Wait()
		cancel()
		all.Wait()
		if len(p.told) != 2 || !strings.Contains(p.told[0], "fires") || !strings.Contains(p.told[1], "is over") {
			t.Errorf("told %q", p.told)
		}
	})
}
