package jira

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/jira"
)

// owners are whose ticket each key is.
type owners struct {
	mu  sync.Mutex
	all map[string]incidents.ID
}

func (o *owners) Put(_ context.Context, key string, id incidents.ID) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all[key] = id
	return nil
}

func opened(t *testing.T, id incidents.ID) *incidents.Incident {
	t.Helper()
	s := &incidents.Incident{}
	a := incidents.Alert{Labels: incidents.LabelsFromMap(map[string]string{"alertname": "Down", "service": id.String()}), StartsAt: noon}
	open := incidents.Open{ID: id, Source: "test", Alerts: []incidents.Alert{a}, Keys: []incidents.Key{a.Fingerprint()}, Grouping: incidents.Grouping{Key: incidents.KeyOf(id.String())}}
	if _, _, err := incidents.Advance(s, open, noon, incidents.Policy{}); err != nil {
		t.Fatal(err)
	}
	return s
}

// Many incidents at once (a thousand with HIKESHI_CRASH=all), under Jira's
// limits and ours, with answers that leave open whether a ticket was made:
// nothing is ever refused for being too fast, each incident has one ticket, and
// all have it as soon as our own limit, five new ones a second, lets them.
func TestABurstOfTickets(t *testing.T) {
	t.Parallel()
	const slots, unsure = 8, 5
	all := 200
	if os.Getenv("HIKESHI_CRASH") == "all" {
		all = 1000
	}
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		jira := fake.New(fake.Cloud, time.Now)
		jira.Tiers = true
		jira.Lies(fake.DoneFail, unsure, "POST", "issue", "")
		c := config(Cloud)
		k, err := New(Options{
			Config: c, Settings: &memory{docs: map[string]incidents.Document{}}, Transport: jira.Transport(), Now: time.Now, Log: slog.New(slog.DiscardHandler),
			Pace: limit.New(limit.Options{Provider: "tracker/jira", Rates: Rates(), Now: time.Now}),
		})
		if err != nil {
			t.Fatal(err)
		}
		book := &owners{all: map[string]incidents.ID{}}
		y := &tracker.Syncer{Name: c.Name, Tracker: k, Directory: book, Lang: "en", Now: time.Now}
		queue := make(chan *incidents.Incident, all)
		for i := range all {
			queue <- opened(t, incidents.ID(i+1))
		}
		var left sync.WaitGroup
		left.Add(all)
		for range slots {
			go func() {
				for s := range queue {
					ticket, err := y.Sync(t.Context(), s, nil)
					s.Tickets = map[string]incidents.Ticket{c.Name: ticket}
					if err == nil {
						left.Done()
						continue
					}
					after := 5 * time.Second
					if later, ok := errors.AsType[*incidents.Later](err); ok {
						after = later.After
					}
					time.AfterFunc(after, func() { queue <- s })
				}
			}()
		}
		left.Wait()
		close(queue)
		took := time.Since(began)
		rate := Rates()[classWrite]
		bound := time.Duration(all/rate.N) * rate.Per
		t.Logf("%d tickets in %v; our own limit's bound is %v", all, took, bound)
		if took > bound*105/100 {
			t.Errorf("%v, and our own limit's bound is %v", took, bound)
		}
		if n := jira.Counts()["429"]; n != 0 {
			t.Errorf("%d requests were refused for being too fast", n)
		}
		if made, known := len(jira.Issues()), len(book.all); made != all || known != all {
			t.Errorf("%d tickets of %d incidents, %d of them known", made, all, known)
		}
		if n := k.Stats().Unsure; n != unsure {
			t.Errorf("%d answers left it open, %d should", n, unsure)
		}
	})
}
