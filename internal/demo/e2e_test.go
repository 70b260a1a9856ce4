package demo_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/hikeshi-ops/hikeshi/internal/demo"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

// message is what the tests read of a webhook.
type message struct {
	Version, Status, GroupKey string
	Alerts                    []struct {
		Status, Fingerprint string
		Labels              map[string]string
		StartsAt, EndsAt    time.Time
	}
}

// receiver is a webhook receiver that refuses the first messages and keeps the
// others.
type receiver struct {
	*httptest.Server
	got chan message

	mu      sync.Mutex
	refuse  int
	refused int
}

func newReceiver(t *testing.T, refuse int) *receiver {
	r := &receiver{got: make(chan message, 100), refuse: refuse}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		var m message
		raw, _ := io.ReadAll(req.Body)
		if err := json.Unmarshal(raw, &m); err != nil || req.Header.Get("Authorization") != "Bearer s3cret" {
			t.Errorf("message %s, %v, with %q", raw, err, req.Header.Get("Authorization"))
		}
		if r.refused < r.refuse {
			r.refused++
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		r.got <- m
	}))
	t.Cleanup(r.Close)
	return r
}

// await returns the next message with this alert and status.
func (r *receiver) await(t *testing.T, alert, status string) message {
	t.Helper()
	limit := time.After(patience)
	for {
		select {
		case m := <-r.got:
			if m.Status == status && m.Alerts[0].Labels["alertname"] == alert {
				return m
			}
		case <-limit:
			t.Fatalf("no message says %s %s", alert, status)
		}
	}
}

// background runs f until the end of the test and waits for it.
func background(t *testing.T, f func(context.Context) error) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestWatcherSeesTheWedge is the demo without the bot: customers, a wedge, an
// alert in spite of a target that refuses at first, a restart, a resolved.
func TestWatcherSeesTheWedge(t *testing.T) {
	t.Parallel()
	s := startShop(t, "--deadline=400ms")
	traffic := &demo.Traffic{URL: s.URL(), PerSecond: 20}
	background(t, traffic.Run)
	r := newReceiver(t, 2)
	w, err := demo.NewWatcher(demo.WatcherOptions{
		Shop: s.URL(), Target: r.URL, Token: "s3cret", Every: 100 * time.Millisecond, Repeat: time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	background(t, w.Run)
	for traffic.Stats().OK == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := s.Break(t.Context(), "wedge"); err != nil {
		t.Fatal(err)
	}
	first := r.await(t, demo.AlertCheckoutDown, "firing")
	repeat := r.await(t, demo.AlertCheckoutDown, "firing")
	if code, _, stderr := shopctl(t, "restart", "--dir", s.Dir()); code != 0 {
		t.Fatalf("restart: exit %d: %s", code, stderr)
	}
	resolved := r.await(t, demo.AlertCheckoutDown, "resolved")
	for _, m := range []message{repeat, resolved} {
		a, b := m.Alerts[0], first.Alerts[0]
		if !a.StartsAt.Equal(b.StartsAt) || a.Fingerprint != b.Fingerprint || m.GroupKey != first.GroupKey {
			t.Errorf("not the same episode:\n%+v\n%+v", first, m)
		}
	}
	if r.refused != 2 || traffic.Stats().Failed == 0 {
		t.Errorf("%d messages were refused, want 2; visits: %+v", r.refused, traffic.Stats())
	}
}

// TestPrometheusSeesTheWedge is the same with the real thing: Prometheus scrapes
// the shop, its rule fires, Alertmanager delivers.
func TestPrometheusSeesTheWedge(t *testing.T) {
	t.Parallel()
	s := startShop(t, "--deadline=500ms")
	r := newReceiver(t, 0)
	am := testenv.Alertmanager(t, demo.AlertmanagerConfig(r.URL, "s3cret"))
	rules := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(rules, []byte(demo.Rules), 0o600); err != nil {
		t.Fatal(err)
	}
	testenv.Prometheus(t, demo.PrometheusConfig(demo.PrometheusOptions{
		Shop: s.Addr(), RulesFile: rules, Alertmanager: am.Addr(), Token: "for-nobody", Interval: 500 * time.Millisecond,
	}))
	if err := s.Break(t.Context(), "wedge"); err != nil {
		t.Fatal(err)
	}
	firing := r.await(t, demo.AlertCheckoutDown, "firing")
	if firing.Version != "4" || firing.GroupKey != `{}:{alertname="ShopCheckoutDown", service="shop"}` {
		t.Errorf("Alertmanager's message differs from the watcher's: %+v", firing)
	}
	if got, want := firing.Alerts[0].Fingerprint, demo.Fingerprint(firing.Alerts[0].Labels); got != want {
		t.Errorf("Alertmanager's fingerprint of %v is %s, ours %s", firing.Alerts[0].Labels, got, want)
	}
	if _, err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.await(t, demo.AlertCheckoutDown, "resolved")
}

// TestThePageInABrowser buys, breaks and sees the sign on the door change.
func TestThePageInABrowser(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(testenv.Chromium(t), patience)
	defer cancel()
	s := startShop(t, "--deadline=500ms")
	if err := chromedp.Do(ctx,
		chromedp.Navigate(s.URL()),
		chromedp.WaitVisible(`#door[data-state=ok]`),
		chromedp.Click(`button[data-product=happi]`),
		chromedp.WaitVisible(`#till[data-state=sold]`),
		chromedp.Click(`button[data-break=wedge]`),
		chromedp.WaitVisible(`#door[data-state=broken]`),
	); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.WaitVisible(`#door[data-state=ok]`)); err != nil {
		t.Error(err)
	}
}
