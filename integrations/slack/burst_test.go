package slack

import (
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/chat/contract"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/slack"
)

// burst is many incidents that want their rooms at once, and the part of a
// worker that matters to them: so many at a time, of those that are due the most
// severe first, and what is given back comes again when it says.
type burst struct {
	mu      sync.Mutex
	waiting map[*incidents.Incident]time.Time // when each is due
	made    []*incidents.Incident             // in the order of their rooms
	t       *testing.T
}

// next is the one to go on with; else how long nothing is due. nil and 0: all have theirs.
func (b *burst) next() (*incidents.Incident, time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var best *incidents.Incident
	var wait time.Duration
	now := time.Now()
	for s, due := range b.waiting {
		if left := due.Sub(now); left > 0 {
			if wait == 0 || left < wait {
				wait = left
			}
			continue
		}
		if best == nil || s.AlertSeverity < best.AlertSeverity || s.AlertSeverity == best.AlertSeverity && s.ID < best.ID {
			best = s
		}
	}
	if best != nil {
		delete(b.waiting, best)
		return best, 0
	}
	return nil, wait
}

func (b *burst) work(y *bot.Syncer, busy *sync.WaitGroup) {
	defer busy.Done()
	for {
		s, wait := b.next()
		if s == nil && wait == 0 {
			return
		}
		if s == nil {
			time.Sleep(wait)
			continue
		}
		room, err := y.Sync(b.t.Context(), s, nil)
		b.mu.Lock()
		if room.ID != "" {
			if _, known := s.Rooms[Name]; !known {
				b.made = append(b.made, s)
			}
			s.Rooms = map[string]incidents.Room{Name: room}
		}
		if later, ok := errors.AsType[*incidents.Later](err); ok {
			b.waiting[s] = time.Now().Add(later.After)
		} else if err != nil {
			b.t.Errorf("%s: %v", s.ID, err)
		}
		b.mu.Unlock()
	}
}

// A thousand incidents at once under Slack's own rates: the limit's own bound is
// 20 rooms a minute, nothing is ever refused for being too fast, and the hundred
// that are critical have theirs first.
func TestAThousandRoomsUnderSlacksTiers(t *testing.T) {
	const all, critical, slots = 1000, 100, 8
	f := fake.New(t, fake.Options{Tiers: true})
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		book := &incidentBook{all: map[incidents.ID]*incidents.Incident{}}
		c, err := New(Options{
			Config: contractConfig(f), Limits: limit.New(limit.Options{Provider: Name, Rates: Rates(), Now: time.Now}), Directory: chatDirectory(&contract.Settings{}),
			Incidents: book, Rights: bot.Open{}, Now: time.Now, Logger: slog.New(slog.DiscardHandler), Transport: f.Transport(),
		})
		if err != nil {
			t.Fatal(err)
		}
		b := &burst{waiting: map[*incidents.Incident]time.Time{}, t: t}
		for i := range all {
			s := incident(incidents.ID(i+1), "burst")
			s.AlertSeverity = incidents.Sev4
			if i%(all/critical) == 7 {
				s.AlertSeverity = incidents.Sev1
			}
			b.waiting[s] = began
		}
		y := &bot.Syncer{Chat: Name, Poster: c, Now: time.Now}
		var busy sync.WaitGroup
		for range slots {
			busy.Add(1)
			go b.work(y, &busy)
		}
		busy.Wait()
		took, bound := time.Since(began), (all/20-1)*time.Minute
		t.Logf("%d rooms in %v; the limit's own bound is %v", len(b.made), took, bound)
		if took > bound*105/100 || len(b.made) != all {
			t.Errorf("%d rooms in %v, and the limit's own bound is %v", len(b.made), took, bound)
		}
		for i, s := range b.made {
			if s.AlertSeverity == incidents.Sev1 && i >= critical+slots { // so many are under way at once
				t.Errorf("%s is critical, and its room is the %dth", s.ID, i+1)
			}
		}
	})
	if n := f.Calls()["429"]; n != 0 {
		t.Errorf("%d requests were refused for being too fast", n)
	}
	rooms, unpinned := f.Rooms(), 0
	for _, r := range rooms {
		if len(r.Pins) != 1 {
			unpinned++
		}
	}
	if len(rooms) != all || unpinned != 0 {
		t.Errorf("%d rooms, %d of them without a pin", len(rooms), unpinned)
	}
}
