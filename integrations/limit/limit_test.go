package limit_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/chat/contract"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// provider counts as the real one would, and closes its windows at random.
type provider struct {
	mu     sync.Mutex
	sent   map[string][]time.Time
	closed map[string]time.Time
	since  map[string]time.Time
}

func (p *provider) request(t *testing.T, class, key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	for _, name := range []string{"", class, class + "/" + key} {
		if until := p.closed[name]; now.Before(until) && now.After(p.since[name]) { // one was on its way as it closed
			t.Errorf("a request of %s at %s inside the closed window %q, %s before its end", class, key, name, until.Sub(now))
		}
		p.sent[name] = append(p.sent[name], now)
	}
}

func (p *provider) close(name string, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until.After(p.closed[name]) {
		if !time.Now().Before(p.closed[name]) {
			p.since[name] = time.Now()
		}
		p.closed[name] = until
	}
}

func within(sent []time.Time, per time.Duration) int {
	most := 0
	for i := range sent {
		j := i
		for j < len(sent) && sent[j].Before(sent[i].Add(per)) {
			j++
		}
		most = max(most, j-i)
	}
	return most
}

// Whatever is asked and whenever windows close: never more than the rate in
// any window, nothing inside a closed one.
func TestNeverMoreThanTheRateAndNothingInAClosedWindow(t *testing.T) {
	for seed := range uint64(40) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			rates := map[string]limit.Rate{"post": {N: 1 + rng.IntN(3), Per: time.Second}, "create": {N: 1 + rng.IntN(20), Per: time.Minute}, limit.AllClasses: {N: 5 + rng.IntN(5), Per: time.Second}}
			l := limit.New(limit.Options{Provider: "chat", Rates: rates})
			p := &provider{sent: map[string][]time.Time{}, closed: map[string]time.Time{}, since: map[string]time.Time{}}
			var wg sync.WaitGroup
			for range 150 {
				class, key, lane := []string{"post", "create"}[rng.IntN(2)], "", limit.Lane(rng.IntN(3))
				if class == "post" {
					key = fmt.Sprint("C", rng.IntN(4))
				}
				start, shuts, d := time.Duration(rng.IntN(30_000))*time.Millisecond, rng.IntN(20), time.Duration(rng.IntN(20_000))*time.Millisecond
				wg.Go(func() {
					time.Sleep(start)
					if err := l.Wait(t.Context(), class, key, lane); err != nil {
						t.Errorf("wait: %v", err)
						return
					}
					p.request(t, class, key)
					name := class + "/" + key
					switch shuts {
					case 0:
						class, key, name = "", "", ""
					case 1:
						key, name = "", class
					case 2:
						if key == "" {
							name = class
						}
					default:
						return
					}
					d = max(d, 100*time.Millisecond)
					p.close(name, time.Now().Add(d))
					l.Close(t.Context(), class, key, d)
				})
			}
			wg.Wait()
			for key, rate := range map[string]limit.Rate{"post/C0": rates["post"], "post/C1": rates["post"], "create": rates["create"], "": rates[limit.AllClasses]} {
				if n := within(p.sent[key], rate.Per); n > rate.N {
					t.Errorf("seed %d: %d requests of %q within %s, at most %d are allowed", seed, n, key, rate.Per, rate.N)
				}
			}
		})
	}
}

// A burst takes no longer than the rate makes it: 100 rooms at 20 a minute are
// made after four minutes.
func TestABurstIsAsFastAsTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limit.New(limit.Options{Rates: map[string]limit.Rate{"": {N: 20, Per: time.Minute}}})
		began := time.Now()
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if err := l.Wait(t.Context(), "create", "", limit.Normal); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if _, n := l.Behind(); n != 80 {
			t.Errorf("%d wait, not 80", n)
		}
		time.Sleep(30 * time.Second)
		if oldest, _ := l.Behind(); oldest != 30*time.Second {
			t.Errorf("the oldest has waited %s", oldest)
		}
		wg.Wait()
		if took := time.Since(began); took != 4*time.Minute {
			t.Errorf("took %s", took)
		}
		if oldest, n := l.Behind(); oldest != 0 || n != 0 {
			t.Errorf("behind by %s and %d when all is done", oldest, n)
		}
	})
}

func TestUrgentFirstThenInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limit.New(limit.Options{Rates: map[string]limit.Rate{"": {N: 1, Per: time.Second}}})
		_ = l.Wait(t.Context(), "post", "C1", limit.Idle)
		var mu sync.Mutex
		var got []string
		var wg sync.WaitGroup
		for i, lane := range []limit.Lane{limit.Idle, limit.Normal, limit.Urgent, limit.Idle, limit.Normal, limit.Urgent} {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				if err := l.Wait(t.Context(), "post", "C1", lane); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				got = append(got, fmt.Sprint(lane, i))
			})
		}
		wg.Wait()
		if fmt.Sprint(got) != "[0 2 0 5 1 1 1 4 2 0 2 3]" {
			t.Errorf("served as %v", got)
		}
	})
}

func TestWhoCannotBeServedInTimeIsToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limit.New(limit.Options{Provider: "slack", Rates: map[string]limit.Rate{"": {N: 1, Per: time.Minute}}})
		_ = l.Wait(t.Context(), "create", "", limit.Normal)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		began := time.Now()
		err := l.Wait(ctx, "create", "", limit.Normal)
		later, ok := errors.AsType[*incidents.Later](err)
		if !ok || incidents.CodeOf(err) != incidents.Overloaded || later.After != time.Minute || time.Since(began) != 0 {
			t.Errorf("after %s: %v, come back in %v", time.Since(began), err, later)
		}
		// One who waits already goes when the window closes for longer.
		ctx2, cancel2 := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel2()
		done := make(chan error, 1)
		go func() { done <- l.Wait(ctx2, "create", "", limit.Normal) }()
		synctest.Wait()
		l.Close(t.Context(), "", "", time.Hour)
		if err := <-done; incidents.CodeOf(err) != incidents.Overloaded || time.Since(began) != 0 {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		ctx3, cancel3 := context.WithCancel(t.Context())
		cancel3()
		if err := l.Wait(ctx3, "create", "", limit.Normal); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	})
}

func TestReplicasHearOfClosedWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &contract.Settings{}
		a := limit.New(limit.Options{Provider: "slack", Store: store})
		b := limit.New(limit.Options{Provider: "slack", Store: store})
		_ = b.Wait(t.Context(), "post", "C1", limit.Normal)
		a.Close(t.Context(), "post", "C1", 30*time.Second)
		time.Sleep(time.Second)
		_ = b.Wait(t.Context(), "post", "C2", limit.Normal) // makes it read, and is not held up
		synctest.Wait()
		began := time.Now()
		if err := b.Wait(t.Context(), "post", "C1", limit.Normal); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(began); waited != 29*time.Second {
			t.Errorf("the other replica waited %s", waited)
		}
		if n := store.Reads(); n > 35 {
			t.Errorf("%d reads in 31 s", n)
		}
		doc, _ := store.Setting(t.Context(), "limit/slack")
		if err := store.PutSetting(t.Context(), "limit/slack", doc.Version, []byte("what is this")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		if err := b.Wait(t.Context(), "post", "C1", limit.Normal); err != nil {
			t.Errorf("a document that does not parse: %v", err)
		}
		synctest.Wait()
	})
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"30": 30 * time.Second, " 2 ": 2 * time.Second, "0.3": 300 * time.Millisecond, "583.2": 583200 * time.Millisecond,
		"3600": time.Hour, "86400": time.Hour, "1e300": time.Hour, "+Inf": time.Hour,
		"Sun, 22 Nov 2026 12:00:20 GMT": 20 * time.Second, "Sun, 22 Nov 2026 11:00:00 GMT": time.Second,
		"0": time.Second, "-5": time.Second, "-Inf": time.Second, "0.00001": 100 * time.Millisecond,
		"": 5 * time.Second, "soon": 5 * time.Second, "NaN": 5 * time.Second, "12 s": 5 * time.Second,
	} {
		if got := limit.RetryAfter(now, header); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}
