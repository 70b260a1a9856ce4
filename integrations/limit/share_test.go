package limit_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hikeshi-ops/hikeshi/integrations/chat/contract"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
)

// busy has a replica send as much as it may until ctx ends, and notes when.
func busy(ctx context.Context, wg *sync.WaitGroup, l *limit.Limiter, class, key string, note func(time.Time)) {
	for range 30 {
		wg.Go(func() {
			for l.Wait(ctx, class, key, limit.Normal) == nil {
				note(time.Now())
			}
		})
	}
}

func TestReplicasDivideTheRates(t *testing.T) {
	for n := 2; n <= 3; n++ {
		synctest.Test(t, func(t *testing.T) {
			store, rates := &contract.Settings{}, map[string]limit.Rate{
				"create": {N: 20, Per: time.Minute}, "post": {N: 5, Per: 5 * time.Second, Own: true}, limit.AllClasses: {N: 50, Per: time.Second}}
			ctx, stop := context.WithTimeout(t.Context(), 8*time.Minute)
			defer stop()
			began := time.Now()
			var mu sync.Mutex
			var wg sync.WaitGroup
			sent := map[string][]time.Time{}
			replicas := make([]*limit.Limiter, n)
			for i := range replicas {
				replicas[i] = limit.New(limit.Options{Provider: "slack", Rates: rates, Store: store, Replica: fmt.Sprint("r", i)})
				for _, class := range []string{"create", "post"} {
					key := ""
					if class == "post" {
						key = fmt.Sprint("C", i) // a room is one replica's at a time
					}
					busy(ctx, &wg, replicas[i], class, key, func(at time.Time) {
						mu.Lock()
						defer mu.Unlock()
						sent[class+key] = append(sent[class+key], at)
					})
				}
			}
			wg.Wait()
			synctest.Wait()
			// The first window is that of the joining.
			after := slices.DeleteFunc(slices.Clone(sent["create"]), func(at time.Time) bool { return at.Sub(began) < time.Minute+2*time.Second })
			slices.SortFunc(after, time.Time.Compare)
			if most := within(after, time.Minute); most > 20 || most < 20-n {
				t.Errorf("%d replicas: %d in a minute, 20 are allowed", n, most)
			}
			for i := range replicas {
				if most := within(sent[fmt.Sprint("postC", i)], 5*time.Second); most != 5 {
					t.Errorf("%d messages in five seconds in a channel that only one replica posts in", most)
				}
				if parts := replicas[i].Parts(); parts != n {
					t.Errorf("a replica knows of %d, there are %d", parts, n)
				}
			}
		})
	}
}

// A replica that is gone, or sends nothing, leaves its part to the others, and
// one that comes takes it: a store that is away in between changes nothing.
func TestAPartIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &contract.Settings{}
		one := func(name string) *limit.Limiter {
			return limit.New(limit.Options{Provider: "slack", Rates: map[string]limit.Rate{"": {N: 1000, Per: time.Minute}}, Store: store, Replica: name})
		}
		a, b := one("a"), one("b")
		turn := func(l *limit.Limiter) {
			t.Helper()
			for range 3 { // the second looks at what the first said
				if err := l.Wait(t.Context(), "create", "", limit.Normal); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				time.Sleep(time.Second)
			}
		}
		expect := func(when string, wantA, wantB int) {
			t.Helper()
			if a.Parts() != wantA || b.Parts() != wantB {
				t.Errorf("%s: %d and %d, want %d and %d", when, a.Parts(), b.Parts(), wantA, wantB)
			}
		}
		turn(a)
		expect("alone", 1, 1)
		turn(b)
		turn(a)
		expect("both", 2, 2)
		store.Away(context.DeadlineExceeded)
		turn(a)
		expect("without the store", 2, 2)
		store.Away(nil)
		for range 8 {
			turn(a)
			time.Sleep(2 * time.Second)
		}
		if a.Parts() != 1 {
			t.Errorf("b is gone, and a still has one part of %d", a.Parts())
		}
		turn(b)
		turn(a)
		expect("again", 2, 2)
	})
}
