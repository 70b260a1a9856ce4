package broadcast

import (
	"sync"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

func signal(n int) incidents.Signal { return incidents.Signal{Kind: incidents.SignalEffect, Shard: n} }

func TestEverybodyHears(t *testing.T) {
	t.Parallel()
	var h Hub
	a, cancelA := h.Watch()
	b, cancelB := h.Watch()
	defer cancelB()
	h.Send(signal(1), signal(2))
	for _, c := range []<-chan incidents.Signal{a, b} {
		if x, y := <-c, <-c; x.Shard != 1 || y.Shard != 2 {
			t.Fatalf("heard %v, %v", x, y)
		}
	}
	cancelA()
	cancelA()
	h.Send(signal(3))
	if _, open := <-a; open {
		t.Error("heard something after leaving")
	}
	if s := <-b; s.Shard != 3 {
		t.Errorf("heard %v", s)
	}
}

// TestSlowWatcher: who does not listen holds nobody up and loses the latest.
func TestSlowWatcher(t *testing.T) {
	t.Parallel()
	var h Hub
	slow, cancel := h.Watch()
	for i := range 3 * capacity {
		h.Send(signal(i))
	}
	cancel()
	n := 0
	for s := range slow {
		if s.Shard != n {
			t.Fatalf("heard %d, want %d", s.Shard, n)
		}
		n++
	}
	if n != capacity {
		t.Fatalf("heard %d, want %d", n, capacity)
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	var h Hub
	c, cancel := h.Watch()
	h.Close()
	if _, open := <-c; open {
		t.Error("a closed hub goes on")
	}
	cancel()
	late, cancel := h.Watch()
	defer cancel()
	if _, open := <-late; open {
		t.Error("a closed hub took a watcher")
	}
	h.Send(signal(1))
}

func TestRaces(t *testing.T) {
	t.Parallel()
	var h Hub
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 200 {
				if i%2 == 0 {
					h.Send(signal(i))
					continue
				}
				c, cancel := h.Watch()
				go cancel()
				for range c {
				}
			}
		})
	}
	wg.Wait()
	h.Close()
}
