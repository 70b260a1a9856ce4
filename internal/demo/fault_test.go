package demo_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/internal/demo"
)

func TestOnlyARestartCuresTheWedge(t *testing.T) {
	t.Parallel()
	s := startShop(t, "--deadline=300ms", "--checkout-deadline=100ms", "--queue=6")
	if err := s.Break(t.Context(), "wedge"); err != nil {
		t.Fatal(err)
	}
	h := eventually(t, s, "wedged")
	var locks []string
	for _, w := range h.Workers {
		locks = append(locks, w.Doing)
	}
	said := strings.Join(locks, "; ")
	if !strings.Contains(said, "waiting for the lock of the ledger") || !strings.Contains(said, "waiting for the lock of the shelf") {
		t.Errorf("the workers are not in a deadlock: %s", said)
	}
	// The queue fills, because nobody works it off.
	for h.QueueDepth < h.QueueCapacity {
		if code, _ := do(t, http.MethodPost, s.URL()+"/checkout"); code != 503 {
			t.Fatalf("checkout = %d while wedged, want 503", code)
		}
		h = eventually(t, s, "wedged")
	}
	if code, body := do(t, http.MethodPost, s.URL()+"/checkout"); code != 503 || !strings.Contains(body, "the queue is full") {
		t.Errorf("checkout = %d %s with a full queue", code, body)
	}
	if code, _ := do(t, http.MethodGet, s.URL()+"/healthz"); code != 503 {
		t.Errorf("healthz = %d while wedged, want 503", code)
	}
	if _, text := do(t, http.MethodGet, s.URL()+"/metrics"); !strings.Contains(text, "\nshop_up 0\n") {
		t.Errorf("metrics do not say that the shop is down:\n%s", text)
	}
	if _, _, err := demo.CleanCache(s.Dir()); err != nil {
		t.Fatal(err)
	}
	eventually(t, s, "wedged")

	addr, pid := s.Addr(), s.Pid()
	r, err := s.Restart(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !r.Killed || r.OldPID != pid || r.NewPID == pid || r.NewPID != s.Pid() {
		t.Errorf("restart: %+v; the old pid was %d", r, pid)
	}
	if s.Addr() != addr {
		t.Errorf("the address is %s, was %s", s.Addr(), addr)
	}
	eventually(t, s, "ok")
	do(t, http.MethodPost, s.URL()+"/checkout")
	if _, text := do(t, http.MethodGet, s.URL()+"/metrics"); !strings.Contains(text, "shop_checkout_seconds_count 1\n") {
		t.Errorf("the new process does not count from the beginning:\n%s", text)
	}
}

func TestOnlyACleanUpCuresTheLeak(t *testing.T) {
	t.Parallel()
	s := startShop(t, "--cache-quota=1048576")
	if err := s.Break(t.Context(), "leak"); err != nil {
		t.Fatal(err)
	}
	h := eventually(t, s, "cache_full")
	if h.CacheBytes > 1<<20 {
		t.Errorf("the cache has %d bytes, more than its quota", h.CacheBytes)
	}
	failed := func() (int, string) { return do(t, http.MethodPost, s.URL()+"/checkout") }
	if code, body := failed(); code != 507 || !strings.Contains(body, "no space in cache") {
		t.Errorf("checkout = %d %s, want 507 and why", code, body)
	}
	r, err := s.Restart(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Killed || r.Health.Status != "cache_full" {
		t.Errorf("restart: %+v, want a shop that stopped when told and still has no space", r)
	}
	if code, _ := failed(); code != 507 {
		t.Errorf("checkout = %d after a restart, want 507 still", code)
	}
	files, bytes, err := demo.CleanCache(s.Dir())
	if err != nil || files < 16 || bytes < 1<<20-1<<10 {
		t.Errorf("cleaned %d files, %d bytes, %v", files, bytes, err)
	}
	eventually(t, s, "ok")
	if code, body := failed(); code != 200 {
		t.Errorf("checkout = %d %s after the clean-up, want 200", code, body)
	}
}

func TestARestartCuresSlowness(t *testing.T) {
	t.Parallel()
	s := startShop(t, "--slow-above=400ms", "--slow-by=600ms", "--slow-for=1h")
	if err := s.Break(t.Context(), "slow"); err != nil {
		t.Fatal(err)
	}
	if h := eventually(t, s, "slow"); h.ProbeSeconds < 0.6 {
		t.Errorf("a probe took %g s, want at least 0.6", h.ProbeSeconds)
	}
	if code, _ := do(t, http.MethodGet, s.URL()+"/healthz"); code != 200 {
		t.Errorf("healthz = %d while slow, want 200: customers are served", code)
	}
	if _, err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, s, "ok")
}

func TestSlownessEndsByItself(t *testing.T) {
	t.Parallel()
	s := startShop(t, "--slow-above=400ms", "--slow-by=600ms", "--slow-for=2s")
	pid := s.Pid()
	if err := s.Break(t.Context(), "slow"); err != nil {
		t.Fatal(err)
	}
	eventually(t, s, "slow")
	eventually(t, s, "ok")
	if s.Pid() != pid {
		t.Error("the process was replaced")
	}
}
