package find

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// round is one catching-up: list the open incidents, read the events of those
// that moved, look up in the intake log what they leave out. It may be spread
// over several questions, each of which goes on where the one before stopped.
type round struct {
	began   time.Time
	ticket  uint64        // every question up to this one came before the round
	ends    []int64       // how far each intake log was folded before the list
	newest  incidents.ID  // of all incidents, when ends was read; whatever is newer stands beyond ends
	seen    []listed      // newest first
	next    incidents.ID  // of the list
	spent   time.Duration // on the list
	at      time.Time     // when it was at its end
	listed  bool          //
	moved   []*held       // events are still to be read, newest last
	wanted  []sought      // nil: not looked up yet
	looking bool
}

// listed is what the list says of an incident.
type listed struct {
	id      incidents.ID
	version int64
	scope   incidents.Scope
	alerts  int
}

// rarely is how much longer than it takes to list the open incidents nobody
// lists them again: at most 5 % of the time goes into it, however many there are.
const rarely = 20

// catchUp brings the index up to date, or as far as ctx allows. Of questions
// that wait for the same thing one does it for all.
func (f *Finder) catchUp(ctx context.Context) error {
	ticket := f.asked.Add(1)
	select {
	case f.turn <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("wait for the index: %w", ctx.Err())
	}
	defer func() { <-f.turn }()
	for f.covers < ticket {
		if f.round == nil {
			if !f.asOf.IsZero() && f.now().Sub(f.listed) < rarely*f.took {
				return nil
			}
			f.round = &round{began: f.now(), ticket: f.asked.Load()}
		}
		if err := f.goOn(ctx, f.round); err != nil {
			return err
		}
	}
	return nil
}

// goOn takes a round to its end.
func (f *Finder) goOn(ctx context.Context, r *round) error {
	if !r.listed {
		if err := f.look(ctx, r); err != nil {
			return err
		}
		f.mu.Lock()
		r.moved = f.adopt(r)
		f.behind = len(r.moved) > 0
		f.mu.Unlock()
		r.seen, r.listed = nil, true
	}
	for len(r.moved) > 0 {
		last := len(r.moved) - 1
		if err := f.read(ctx, r.moved[last]); err != nil {
			return err
		}
		r.moved = r.moved[:last]
	}
	if err := f.lookUp(ctx, r); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tidy()
	f.behind, f.asOf = false, r.began
	f.covers, f.newest, f.round = r.ticket, r.newest, nil
	f.listed, f.took = r.at, r.spent
	return nil
}

// listPage is how many incidents are listed at a time.
const listPage = 200

// look lists the open incidents.
func (f *Finder) look(ctx context.Context, r *round) error {
	began := f.now()
	defer func() {
		r.at = f.now()
		r.spent += r.at.Sub(began)
	}()
	if r.ends == nil {
		ends, err := f.marks(ctx)
		if err != nil {
			return err
		}
		all, err := f.incidents.List(ctx, incidents.Query{Limit: 1})
		if err != nil {
			return fmt.Errorf("list the newest incident: %w", err)
		}
		for i := range all.Incidents {
			r.newest = all.Incidents[i].ID
		}
		r.ends = ends
	}
	for {
		page, err := f.incidents.List(ctx, incidents.Query{Open: true, Before: r.next, Limit: listPage})
		if err != nil {
			return fmt.Errorf("list open incidents: %w", err)
		}
		for i := range page.Incidents {
			s := &page.Incidents[i]
			r.seen = append(r.seen, listed{s.ID, s.Version, s.Scope(), s.Alerts})
		}
		if r.next = page.Next; r.next == 0 {
			return nil
		}
	}
}

// adopt drops the incidents that are no longer open, takes in new ones, and says
// which have moved.
func (f *Finder) adopt(r *round) []*held {
	next, moved := make([]*held, 0, len(r.seen)), []*held(nil)
	known := f.list
	for _, row := range slices.Backward(r.seen) {
		for len(known) > 0 && known[0].id < row.id {
			f.forget(known[0])
			known = known[1:]
		}
		var h *held
		if len(known) > 0 && known[0].id == row.id {
			h, known = known[0], known[1:]
		} else {
			h = &held{id: row.id, back: row.id <= f.newest}
		}
		if h.full && f.alerts < f.max*9/10 {
			f.forget(h)
			h.back = true
		}
		h.wanted, h.scope, h.total = row.version, row.scope, row.alerts
		if h.version < h.wanted {
			moved = append(moved, h)
		}
		next = append(next, h)
	}
	for _, h := range known {
		f.forget(h)
	}
	f.list = next
	return moved
}

// portion is how many events are read at a time.
const portion = 100

// read takes in the events of one incident since the last time.
func (f *Finder) read(ctx context.Context, h *held) error {
	for h.version < h.wanted {
		events, err := f.incidents.Events(ctx, h.id, h.version, portion)
		if err != nil {
			return fmt.Errorf("read the events of %s: %w", h.id, err)
		}
		if len(events) == 0 {
			return nil // the list was ahead of the log: the next round
		}
		f.mu.Lock()
		err = f.apply(h, events)
		f.mu.Unlock()
		if err != nil {
			return fmt.Errorf("index %s: %w", h.id, err)
		}
	}
	return nil
}
