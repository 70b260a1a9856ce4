package worker

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// told is a log of so many events, and a tracker that is told of them.
type told struct {
	events int64
	heard  map[int64]int
	stuck  int64 // from here on it refuses; 0: never
	fails  error
	syncs  int
}

func (d *told) Events(_ context.Context, _ incidents.ID, after int64, most int) ([]incidents.Event, error) {
	var page []incidents.Event
	for seq := after + 1; seq <= d.events && len(page) < most; seq++ {
		page = append(page, incidents.Event{Seq: seq, Kind: incidents.EventNoted})
	}
	return page, nil
}

func (d *told) Sync(_ context.Context, s *incidents.Incident, events []incidents.Event) (incidents.Ticket, error) {
	d.syncs++
	t := s.Tickets["jira"]
	for i := range events {
		if d.stuck > 0 && events[i].Seq >= d.stuck {
			return t, d.fails
		}
		d.heard[events[i].Seq]++
		t.LastSeq = events[i].Seq
	}
	return t, nil
}

// However much was written while a tracker was away: each of it is told, once, and
// what is refused is told no more often than it is asked.
func TestATicketIsToldAllThatItMissed(t *testing.T) {
	t.Parallel()
	away := errors.New("away")
	for _, c := range []struct {
		events, from, stuck, last int64
		fails                     error
		syncs                     int
	}{
		{events: 0, last: 0, syncs: 1},
		{events: 700, last: 700, syncs: 2},
		{events: 2 * syncEvents, last: 2 * syncEvents, syncs: 3},
		{events: 1700, from: 100, last: 1700, syncs: 4},
		{events: 1700, stuck: 600, last: 599, syncs: 2},
		{events: 1700, stuck: 600, last: 599, fails: away, syncs: 2},
	} {
		d := &told{events: c.events, stuck: c.stuck, fails: c.fails, heard: map[int64]int{}}
		s := &incidents.Incident{ID: 42, Version: c.events}
		if c.from > 0 {
			s.Tickets = map[string]incidents.Ticket{"jira": {Key: "OPS-1", LastSeq: c.from}}
		}
		ticket, err := tellTicket(t.Context(), d, d, s, "jira")
		if ticket.LastSeq != c.last || !errors.Is(err, c.fails) || d.syncs != c.syncs || s.Tickets["jira"].LastSeq != c.from {
			t.Errorf("%+v: told until %d in %d times, %v", c, ticket.LastSeq, d.syncs, err)
		}
		for seq := c.from + 1; seq <= c.last; seq++ {
			if d.heard[seq] != 1 {
				t.Errorf("%+v: %d was told %d times", c, seq, d.heard[seq])
			}
		}
	}
}

// patient is a store of one incident that does nothing for whoever has no time left.
type patient struct {
	Incidents
	s     *incidents.Incident
	wrote []incidents.Event
}

func (p *patient) Load(ctx context.Context, _ incidents.ID) (*incidents.Incident, error) {
	return p.s, ctx.Err()
}

func (p *patient) Commit(ctx context.Context, c *incidents.Commit) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	for i := range c.Changes {
		p.wrote = append(p.wrote, c.Changes[i].Events...)
	}
	return nil
}

// halfway tells a part of it, and then its time is over.
type halfway struct{ over context.CancelFunc }

func (h halfway) Sync(ctx context.Context, _ *incidents.Incident, _ []incidents.Event) (incidents.Ticket, error) {
	h.over()
	return incidents.Ticket{Key: "OPS-1", LastSeq: 3}, ctx.Err()
}

// What a ticket was told until its time was over is noted, and not told again.
func TestATicketKeepsWhatItWasTold(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	h := declared(t, 42)
	store := &patient{s: h.Incident}
	now, log := func() time.Time { return shelfTime }, slog.New(slog.DiscardHandler)
	w := &Worker{now: now, logger: log, engine: NewEngine(EngineOptions{Store: store, Shards: 1, Now: now})}
	w.ports.Tickets = map[string]Tickets{"jira": halfway{cancel}}
	err := w.syncTicket(ctx, &incidents.Claim{Effect: incidents.Effect{Incident: 42, Arg: "jira"}}, h)
	if !errors.Is(err, context.Canceled) || len(store.wrote) != 1 || store.wrote[0].Ticket.Key != "OPS-1" || store.wrote[0].Ticket.LastSeq != 3 {
		t.Errorf("%v, and what is noted is %+v", err, store.wrote)
	}
}
