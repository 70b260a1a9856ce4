package demo

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// WatcherOptions say what is watched and who is told. Shop and Target are needed.
type WatcherOptions struct {
	Shop   string        // the shop's URL, http://host:port
	Target string        // where Alertmanager webhooks (version 4) are posted
	Token  string        // bearer token for the target; "" for none
	Every  time.Duration // between two looks; default 500 ms
	Repeat time.Duration // between two messages about an alert that goes on; default 15 s
	Log    *slog.Logger  // default: discarded
	Told   func(Told)    // called after each message that was accepted or refused; may be nil

	Transport http.RoundTripper // for both; default: one of its own
}

// Told is one message that was answered.
type Told struct {
	Alert  string // such as ShopCheckoutDown
	Status string // firing or resolved
	Code   int    // HTTP status of the answer
}

// looks is how many equal looks it takes to believe them.
const looks = 2

// A Watcher looks at the shop and raises alerts as an Alertmanager would: after
// two bad looks an alert fires, it is repeated while it goes on, and after two
// good looks it is resolved. Within one such episode startsAt never changes. A
// message is sent until it is accepted, and messages are sent in order, so a
// resolved is never told before its firing and neither is lost while the target
// is away.
type Watcher struct {
	o      WatcherOptions
	client *http.Client
	sender *sender
	host   string
	alerts []*watched
}

// watched is what the watcher knows about one alert.
type watched struct {
	kind     alertKind
	bad, ok  int      // equal looks in a row
	episode  *episode // nil when nothing is wrong
	lastTold time.Time
}

// NewWatcher checks the options.
func NewWatcher(o WatcherOptions) (*Watcher, error) {
	shop, err := url.Parse(o.Shop)
	if err != nil || shop.Host == "" {
		return nil, errors.New("watch the shop: its URL is not of the form http://host:port")
	}
	if target, err := url.Parse(o.Target); err != nil || target.Host == "" {
		return nil, errors.New("watch the shop: the target is not an http URL")
	}
	if o.Every <= 0 {
		o.Every = 500 * time.Millisecond
	}
	if o.Repeat <= 0 {
		o.Repeat = 15 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Transport == nil {
		o.Transport = &http.Transport{}
	}
	w := &Watcher{o: o, client: &http.Client{Transport: o.Transport}, host: shop.Host}
	w.sender = newSender(o, w.client)
	for _, k := range alertKinds {
		w.alerts = append(w.alerts, &watched{kind: k})
	}
	return w, nil
}

// Run watches until the context ends and returns nil.
func (w *Watcher) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer w.client.CloseIdleConnections()
	sent := make(chan struct{})
	go func() {
		w.sender.run(ctx)
		close(sent)
	}()
	defer func() { cancel(); <-sent }()
	tick := time.NewTicker(w.o.Every)
	defer tick.Stop()
	for {
		w.look(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (w *Watcher) look(ctx context.Context) {
	patience, cancel := context.WithTimeout(ctx, max(4*w.o.Every, 2*time.Second))
	defer cancel()
	h, err := fetchHealth(patience, w.client, w.o.Shop+"/healthz")
	if ctx.Err() != nil {
		return
	}
	why := h.Reason
	if err != nil {
		why = err.Error()
	}
	for _, a := range w.alerts {
		if bad, known := a.kind.bad(h, err == nil); known {
			a.see(bad)
		}
		w.tell(ctx, a, why, time.Now())
	}
}

func (a *watched) see(bad bool) {
	if bad {
		a.bad, a.ok = a.bad+1, 0
	} else {
		a.bad, a.ok = 0, a.ok+1
	}
}

// tell opens or closes the episode if it is time, and passes on what there is to
// say. It waits while the sender is far behind.
func (w *Watcher) tell(ctx context.Context, a *watched, why string, now time.Time) {
	switch e := a.episode; {
	case e == nil && a.bad >= looks:
		a.episode = &episode{kind: a.kind, instance: w.host, description: why, startsAt: now.UTC()}
		a.lastTold = now
		w.o.Log.Warn("alert fires", "alert", a.kind.name, "why", why)
		w.sender.send(ctx, *a.episode)
	case e != nil && a.ok >= looks:
		e.endsAt = now.UTC()
		a.episode = nil
		w.o.Log.Info("alert is resolved", "alert", a.kind.name, "after", e.endsAt.Sub(e.startsAt))
		w.sender.send(ctx, *e)
	case e != nil && now.Sub(a.lastTold) >= w.o.Repeat && w.sender.idle():
		a.lastTold = now
		w.sender.send(ctx, *e)
	}
}
