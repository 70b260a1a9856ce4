package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestAPOSTIsOfTheStatedSizeAndVaries(t *testing.T) {
	t.Parallel()
	start := time.Now()
	b := newBody(3, start)
	b.end(start.Add(time.Hour))
	for i := range 3 {
		b.alert(i, 9_999_990+i, 42)
	}
	var alerts []struct {
		Labels, Annotations map[string]string
		EndsAt              time.Time
	}
	if err := json.Unmarshal(b.bytes, &alerts); err != nil {
		t.Fatalf("%v in %s", err, b.bytes)
	}
	seen := map[string]bool{}
	for _, a := range alerts {
		if len(a.Labels) != 10 || len(a.Annotations) != 3 || a.Labels["group"] != "group-0000042" || a.Labels["service"] != serviceOf(42) {
			t.Errorf("got %+v", a)
		}
		if d := a.EndsAt.Sub(start) - time.Hour; d.Abs() > time.Millisecond {
			t.Errorf("ends at %s", a.EndsAt)
		}
		seen[a.Labels["pod"]+a.Labels["instance"]] = true
	}
	if want := 3*alertBytes + len("[,,]"); len(alerts) != 3 || len(seen) != 3 || len(b.bytes) != want {
		t.Errorf("%d alerts, %d of them different, in %d bytes, want %d", len(alerts), len(seen), len(b.bytes), want)
	}
}

// receiver counts what a load brings; some POSTs it refuses.
type receiver struct {
	mu      sync.Mutex
	numbers map[string]int
	ends    map[string]bool
	posts   int
	refuse  int // every so many; 0: none
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	var alerts []struct {
		Labels map[string]string
		EndsAt string
	}
	if err != nil || json.Unmarshal(body, &alerts) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.posts++; r.refuse > 0 && r.posts%r.refuse == 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	for _, a := range alerts {
		r.numbers[a.Labels["pod"]]++
		r.ends[a.EndsAt] = true
	}
	fmt.Fprintln(w, "{}")
}

func receive(t *testing.T, refuse int) (*receiver, string) {
	t.Helper()
	r := &receiver{numbers: map[string]int{}, ends: map[string]bool{}, refuse: refuse}
	s := httptest.NewServer(r)
	t.Cleanup(s.Close)
	return r, strings.TrimPrefix(s.URL, "http://")
}

func TestLoads(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		load                                 load
		refuse                               int
		accepted, refused, different, endsAt int
	}{
		"closed":  {load{batch: 10, conns: 4, alerts: 200}, 0, 200, 0, 200, 1},
		"refused": {load{batch: 10, conns: 1, alerts: 200}, 4, 150, 5, 150, 1},
		"insists": {load{batch: 10, conns: 1, alerts: 200, insist: true}, 4, 200, 6, 200, 1},
		"again":   {load{batch: 10, conns: 1, alerts: 200, known: 50}, 0, 200, 0, 50, 4},
		"open":    {load{batch: 10, conns: 4, alerts: 200, rate: 2000}, 0, 200, 0, 200, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, addr := receive(t, c.refuse)
			c.load.start = time.Now()
			got := c.load.run(t.Context(), addr, time.Minute)
			if got.failure != nil || got.accepted != c.accepted || got.refused != c.refused || len(r.numbers) != c.different || len(r.ends) != c.endsAt {
				t.Errorf("got %d accepted, %d refused, %v; %d different alerts with %d ends", got.accepted, got.refused, got.failure, len(r.numbers), len(r.ends))
			}
			if len(got.latencies)*c.load.batch != got.accepted {
				t.Errorf("%d latencies", len(got.latencies))
			}
		})
	}
}

// In an open loop a POST that had to wait for another is late from its own
// time on, not from when it was sent.
func TestAnOpenLoopCountsTheWaiting(t *testing.T) {
	t.Parallel()
	const stall = 50 * time.Millisecond
	first := sync.OnceFunc(func() { time.Sleep(stall) })
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		first()
	}))
	defer s.Close()
	ld := load{batch: 1, conns: 1, alerts: 3, rate: 1_000_000, start: time.Now()}
	r := ld.run(t.Context(), strings.TrimPrefix(s.URL, "http://"), time.Minute)
	if len(r.latencies) != 3 || r.latencies[0] < stall {
		t.Errorf("latencies %v, want each to hold the %s of the first", r.latencies, stall)
	}
}

func TestALoadEndsWithItsContext(t *testing.T) {
	t.Parallel()
	_, addr := receive(t, 0)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := (load{batch: 1, conns: 2, start: time.Now()}).run(ctx, addr, time.Minute); r.accepted > 2 {
		t.Errorf("sent %d alerts after the end", r.accepted)
	}
}

func TestStatistics(t *testing.T) {
	t.Parallel()
	values := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	for p, want := range map[float64]int{1: 1, 50: 5, 95: 10, 99: 10, 100: 10} {
		if got := percentile(values, p); got != want {
			t.Errorf("p%v = %d, want %d", p, got, want)
		}
	}
	if percentile([]int{}, 50) != 0 || median([]int{9, 1, 5}) != 5 {
		t.Error("of none, or in another order")
	}
}

func TestTheReport(t *testing.T) {
	t.Parallel()
	r := newReport()
	r.add("ingest_b100.rate", sqlite, 60_000, "alerts/s")
	r.add("ingest_b100.rate", redis, 45_000, "alerts/s")
	r.add("ingest_b100.rate", alertmanager, 20_000, "alerts/s")
	r.add("crash.lost", sqlite, 0, "alerts")
	r.add("crash.lost", redis, 3, "alerts")
	r.add("cost.disk", machine, 1234.5, "records/s")
	for metric, want := range map[string][2]string{"ingest_b100.rate": {"stretch", "must"}, "crash.lost": {"stretch", "MISSED"}} {
		row := r.row(metric)
		if got := [2]string(row[len(row)-2:]); got != want {
			t.Errorf("%s: %q, want %q", metric, got, want)
		}
	}
	var text strings.Builder
	r.print(&text, time.Second, true)
	if want := "| ingest_b100.rate | alerts/s | 60000 | 45000 | 20000 | 3.00x | 2.25x | >= 2.00x | >= 3.00x | stretch | must |"; !strings.Contains(text.String(), want) {
		t.Errorf("got %s\nwithout %s", text.String(), want)
	}
	path := filepath.Join(t.TempDir(), "bench.jsonl")
	if err := r.write(path); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(strings.TrimSpace(string(b)), "\n"); len(lines) != 6 || lines[0] != `{"name":"ingest_b100.rate.sqlite","value":60000,"unit":"alerts/s"}` {
		t.Errorf("wrote %s", b)
	}
}

// A goal about a figure that nobody measures would be met by silence.
func TestGoalsNameMeasurements(t *testing.T) {
	t.Parallel()
	for metric, g := range goals {
		name, _, _ := strings.Cut(metric, ".")
		known := false
		for _, m := range plan {
			known = known || strings.HasPrefix(name, m.name)
		}
		if !known || g.met(g.must, g.stretch) && g.must != g.stretch || !g.met(g.stretch, g.must) {
			t.Errorf("%s: %+v", metric, g)
		}
	}
}

// Lines go on coming beside alerts, and what is refused is not counted as taken.
func TestLinesComeBesideAlerts(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	posts, services, enough := 0, map[string]bool{}, make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		for d := json.NewDecoder(r.Body); ; {
			var line struct{ Service, Host, Message string }
			if d.Decode(&line) != nil {
				break
			}
			services[line.Service] = line.Host != "" && !strings.Contains(line.Message, "#")
		}
		if posts++; posts == 12 {
			close(enough) // at most one answer of each connection is not read yet
		}
		if posts%2 == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer s.Close()
	stop := (&target{addr: strings.TrimPrefix(s.URL, "http://")}).lines(t.Context(), 10_000_000)
	<-enough
	rate, refused := stop()
	mu.Lock()
	defer mu.Unlock()
	if refused < 2 || refused > (posts+1)/2 || rate <= 0 || len(services) != lineStreams || !services[serviceOf(3)] {
		t.Errorf("%d refused, %.0f lines/s of %d services in %d POSTs", refused, rate, len(services), posts)
	}
}
