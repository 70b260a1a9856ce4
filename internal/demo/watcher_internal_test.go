package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A world plays the shop and the target for a watcher, in the fake time of
// synctest: the watcher's own code runs whole, only the network is a function.
type world struct {
	t       *testing.T
	shop    func() (Health, error)                // what /healthz says
	target  func(webhook, *http.Request) answered // how a message is answered; nil: 200
	got     []webhook                             // the messages that were answered with 2xx
	tries   []time.Time
	refused int
}

type answered struct {
	code   int
	header string // Retry-After
	err    error
}

func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path == "/healthz" {
		h, err := w.shop()
		if err != nil {
			return nil, err
		}
		body, _ := json.Marshal(h)
		return reply(http.StatusOK, "", string(body)), nil
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var m webhook
	if err := json.Unmarshal(raw, &m); err != nil {
		w.t.Errorf("message is no JSON: %v\n%s", err, raw)
	}
	w.tries = append(w.tries, time.Now())
	a := answered{code: 200}
	if w.target != nil {
		a = w.target(m, r)
	}
	if a.err != nil {
		return nil, a.err
	}
	if a.code < 300 {
		w.got = append(w.got, m)
	} else {
		w.refused++
	}
	return reply(a.code, a.header, ""), nil
}

func reply(code int, retryAfter, body string) *http.Response {
	return &http.Response{
		StatusCode: code, Body: io.NopCloser(strings.NewReader(body)),
		Header: http.Header{"Retry-After": {retryAfter}},
	}
}

// watch runs a watcher in this world for so long.
func (w *world) watch(lasting time.Duration) {
	w.t.Helper()
	watcher, err := NewWatcher(WatcherOptions{
		Shop: "http://shop:1", Target: "http://hikeshi:2/v1/alerts/alertmanager", Token: "s3cret",
		Every: 500 * time.Millisecond, Repeat: 10 * time.Second, Transport: w,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), lasting)
	defer cancel()
	if err := watcher.Run(ctx); err != nil {
		w.t.Errorf("Run = %v", err)
	}
}

// story says in short what was told: "ShopSlow firing, ShopSlow resolved".
func (w *world) story() string {
	var all []string
	for _, m := range w.got {
		all = append(all, m.GroupLabels["alertname"]+" "+m.Status)
	}
	return strings.Join(all, ", ")
}

// during returns a shop that is ill between two times from now and well otherwise.
func during(from, to time.Duration, ill Health) func() (Health, error) {
	began := time.Now()
	return func() (Health, error) {
		if d := time.Since(began); d < from || d >= to {
			return Health{Status: "ok"}, nil
		}
		return ill, nil
	}
}

var (
	wedged    = Health{Status: "wedged", Reason: "no worker answered", Wedged: true}
	cacheFull = Health{Status: "cache_full", Reason: "no space in cache", CacheFull: true}
	slow      = Health{Status: "slow", Reason: "took long", Slow: true}
)

func TestWatcherTellsAnEpisode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		w := &world{t: t, shop: during(2*time.Second, 24*time.Second, wedged)}
		var auth string
		w.target = func(_ webhook, r *http.Request) answered {
			auth = r.Header.Get("Authorization")
			return answered{code: 202}
		}
		w.watch(time.Minute)
		want := "ShopCheckoutDown firing, ShopCheckoutDown firing, ShopCheckoutDown firing, ShopCheckoutDown resolved"
		if got := w.story(); got != want {
			t.Fatalf("told %s\nwant %s", got, want)
		}
		if auth != "Bearer s3cret" {
			t.Errorf("Authorization = %q", auth)
		}
		first, last := w.got[0], w.got[3]
		startsAt := began.Add(2500 * time.Millisecond) // the second bad look
		for i, m := range w.got {
			if !m.Alerts[0].StartsAt.Equal(startsAt) {
				t.Errorf("message %d: startsAt %v, want %v in all", i, m.Alerts[0].StartsAt, startsAt)
			}
		}
		if !first.Alerts[0].EndsAt.IsZero() {
			t.Errorf("endsAt = %v while firing", first.Alerts[0].EndsAt)
		}
		if want := began.Add(24500 * time.Millisecond); !last.Alerts[0].EndsAt.Equal(want) {
			t.Errorf("endsAt = %v, want %v", last.Alerts[0].EndsAt, want)
		}
		if first.GroupKey != last.GroupKey || first.Alerts[0].Fingerprint != last.Alerts[0].Fingerprint {
			t.Errorf("the resolved does not match the firing:\n%+v\n%+v", first, last)
		}
	})
}

func TestWatcherBelievesTwoLooks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ill      Health
		from, to time.Duration
		want     string
	}{
		"one bad look is no alert":     {wedged, 2 * time.Second, 2*time.Second + 1, ""},
		"two are":                      {wedged, 2 * time.Second, 3 * time.Second, "ShopCheckoutDown firing, ShopCheckoutDown resolved"},
		"a full cache is another one":  {cacheFull, 2 * time.Second, 3 * time.Second, "ShopCacheFull firing, ShopCacheFull resolved"},
		"and so is slowness":           {slow, 2 * time.Second, 3 * time.Second, "ShopSlow firing, ShopSlow resolved"},
		"the end may lie after us too": {slow, 2 * time.Second, time.Hour, "ShopSlow firing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := &world{t: t, shop: during(c.from, c.to, c.ill)}
				w.watch(10 * time.Second)
				if got := w.story(); got != c.want {
					t.Errorf("told %q, want %q", got, c.want)
				}
			})
		})
	}
}

// A shop that does not answer says nothing about its cache: that alert goes on.
func TestWatcherDoesNotResolveWhatItCannotSee(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		w := &world{t: t, shop: func() (Health, error) {
			switch d := time.Since(began); {
			case d < 3*time.Second:
				return cacheFull, nil
			case d < 6*time.Second:
				return Health{}, errors.New("connection refused")
			default:
				return Health{Status: "ok"}, nil
			}
		}}
		w.watch(9 * time.Second)
		want := "ShopCacheFull firing, ShopCheckoutDown firing, ShopCheckoutDown resolved, ShopCacheFull resolved"
		if got := w.story(); got != want {
			t.Errorf("told %s\nwant %s", got, want)
		}
	})
}

// TestWatcherOutlastsItsTarget: the target is away for the whole episode and
// longer. Both ends of the episode are told afterwards, in order and once.
func TestWatcherOutlastsItsTarget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		w := &world{t: t, shop: during(time.Second, 30*time.Second, wedged)}
		w.target = func(webhook, *http.Request) answered {
			switch d := time.Since(began); {
			case d < 20*time.Second:
				return answered{err: errors.New("connection refused")}
			case d < time.Minute:
				return answered{code: 503}
			default:
				return answered{code: 200}
			}
		}
		w.watch(3 * time.Minute)
		got := w.got
		if len(got) < 2 || got[0].Status != "firing" || got[len(got)-1].Status != "resolved" {
			t.Fatalf("told %s", w.story())
		}
		for _, m := range got {
			if !m.Alerts[0].StartsAt.Equal(got[0].Alerts[0].StartsAt) {
				t.Errorf("two startsAt in one episode: %s", w.story())
			}
		}
		resolved := slices.DeleteFunc(slices.Clone(got), func(m webhook) bool { return m.Status != "resolved" })
		if len(resolved) != 1 {
			t.Errorf("%d resolved, want 1: %s", len(resolved), w.story())
		}
		if n := len(w.tries); n > 40 {
			t.Errorf("%d tries in a minute: it does not back off", n)
		}
	})
}

func TestWatcherHonoursRetryAfter(t *testing.T) {
	t.Parallel()
	for header, pause := range map[string]time.Duration{
		"7":         7 * time.Second,
		"100000":    time.Minute, // nobody is left alone for longer
		"in a date": 0,           // replaced below
		"nonsense":  0,
		"-5":        0,
	} {
		t.Run(header, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				if header == "in a date" {
					header, pause = time.Now().Add(21*time.Second).UTC().Format(http.TimeFormat), 20*time.Second
				}
				w := &world{t: t, shop: during(0, time.Hour, slow)}
				w.target = func(webhook, *http.Request) answered {
					if len(w.tries) == 1 {
						return answered{code: 429, header: header}
					}
					return answered{code: 200}
				}
				w.watch(2 * time.Minute)
				if len(w.tries) < 2 {
					t.Fatalf("%d tries", len(w.tries))
				}
				waited := w.tries[1].Sub(w.tries[0])
				if waited < pause || waited > pause+time.Second {
					t.Errorf("waited %v after Retry-After: %s, want about %v", waited, header, pause)
				}
			})
		})
	}
}

// What is refused for good is not tried again, but the next repeat is.
func TestWatcherDoesNotInsist(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, shop: during(0, time.Hour, slow)}
		w.target = func(webhook, *http.Request) answered { return answered{code: 401} }
		w.watch(25 * time.Second)
		if w.refused != 3 {
			t.Errorf("%d tries in 25 s, want 3: the first and two repeats", w.refused)
		}
	})
}

// TestWebhookForm holds the message to Alertmanager's own form.
func TestWebhookForm(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 3, 4, 5, 0, time.UTC)
	e := episode{kind: alertKinds[0], instance: "127.0.0.1:9", description: "no worker answered", startsAt: at}
	raw, err := json.MarshalIndent(e.webhook(), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`"version": "4"`, `"status": "firing"`, `"truncatedAlerts": 0`, `"startsAt": "2026-11-22T03:04:05Z"`,
		`"endsAt": "0001-01-01T00:00:00Z"`, `"alertname": "ShopCheckoutDown"`, `"service": "shop"`,
		`"groupKey": "{}:{alertname=\"ShopCheckoutDown\", service=\"shop\"}"`,
		fmt.Sprintf(`"fingerprint": "%s"`, fingerprint(e.webhook().CommonLabels)),
	} {
		if !strings.Contains(string(raw), line) {
			t.Errorf("no %s in\n%s", line, raw)
		}
	}
	if _, err := NewWatcher(WatcherOptions{Shop: "shop", Target: "http://x"}); err == nil {
		t.Error("a shop without a URL was accepted")
	}
	if _, err := NewWatcher(WatcherOptions{Shop: "http://shop", Target: "x"}); err == nil {
		t.Error("a target without a URL was accepted")
	}
}
