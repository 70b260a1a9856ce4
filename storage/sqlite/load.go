package sqlite

import (
	"context"
	"math"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage/fault"
	"github.com/hikeshi-ops/hikeshi/storage/record"
)

// Groups implements storage.Incidents.
func (s *Store) Groups(_ context.Context, shard int, keys []incidents.Key) ([][]incidents.ID, error) {
	s.mem.mu.RLock()
	defer s.mem.mu.RUnlock()
	out := make([][]incidents.ID, len(keys))
	for i, k := range keys {
		out[i], _ = s.mem.groups.get(shardKey{k, uint16(shard)})
	}
	return out, nil
}

// Load implements storage.Incidents.
func (s *Store) Load(ctx context.Context, id incidents.ID) (*incidents.Incident, error) {
	var found *incidents.Incident
	s.mem.mu.RLock()
	h, known := s.mem.heads[id]
	s.mem.mu.RUnlock()
	err := s.read(ctx, "load "+id.String(), func(c *conn) (err error) {
		found, err = loadFrom(c, id, known && h.weight == 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	if found == nil {
		return nil, fault.NoIncident(id)
	}
	return found, nil
}

// loadFrom rebuilds an incident; nil where there is none. light says that no
// snapshot need be looked for. The two reads need no common transaction: events
// after an older snapshot, or after none, lead to the same state.
func loadFrom(c *conn, id incidents.ID, light bool) (*incidents.Incident, error) {
	var snapshot []byte
	var version int64
	if !light {
		row, err := c.one(getSnapshot, int64(id))
		if err != nil {
			return nil, err
		}
		if row != nil {
			version, snapshot = integer(row[0]), blob(row[1])
		}
	}
	var events [][]byte
	err := c.each(readEvents, func(row columns) error {
		events = append(events, blob(row[0]))
		return nil
	}, eventRow(int64(id), version), eventRow(int64(id)+1, 0), int64(math.MaxInt32))
	if err != nil || snapshot == nil && events == nil {
		return nil, err
	}
	return record.State(snapshot, events)
}

// LoadMany implements storage.Incidents.
func (s *Store) LoadMany(ctx context.Context, refs []incidents.Ref) ([]*incidents.Incident, error) {
	out := make([]*incidents.Incident, len(refs))
	var due []int
	s.mem.mu.RLock()
	for i, r := range refs {
		if h, ok := s.mem.heads[r.ID]; !ok || h.version != r.Known {
			due = append(due, i)
		}
	}
	s.mem.mu.RUnlock()
	if len(due) == 0 {
		return out, nil
	}
	err := s.read(ctx, "load incidents", func(c *conn) error {
		for _, i := range due {
			row, err := c.one(getHead, int64(refs[i].ID))
			if err != nil {
				return err
			}
			if row == nil || integer(row[0]) == refs[i].Known {
				continue
			}
			if out[i], err = loadFrom(c, refs[i].ID, integer(row[2]) == 0); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
	return out, err
}

// Events implements storage.Incidents.
func (s *Store) Events(ctx context.Context, id incidents.ID, after int64, max int) ([]incidents.Event, error) {
	var bodies [][]byte
	err := s.read(ctx, "read the events of "+id.String(), func(c *conn) error {
		return c.each(readEvents, func(row columns) error {
			bodies = append(bodies, blob(row[0]))
			return nil
		}, eventRow(int64(id), after), eventRow(int64(id)+1, 0), int64(record.Rows(max)))
	})
	if err != nil {
		return nil, err
	}
	return record.Events(bodies)
}

// List implements storage.Incidents.
func (s *Store) List(ctx context.Context, q incidents.Query) (incidents.Page, error) {
	page := incidents.Page{Incidents: []incidents.Summary{}}
	before, limit := int64(q.Before), record.Limit(q)
	if before <= 0 {
		before = math.MaxInt64
	}
	see := func(row columns) error {
		sum, err := record.Summary(blob(row[0]))
		page.Incidents = append(page.Incidents, sum)
		return err
	}
	err := s.read(ctx, "list incidents", func(c *conn) error {
		switch more := int64(limit + 1); {
		case q.Open && q.Service != "":
			return c.each(listOpenService, see, q.Service, before, more)
		case q.Service != "":
			return c.each(listService, see, q.Service, before, more)
		case q.Open:
			return c.each(listOpen, see, before, more)
		default:
			return c.each(listAll, see, before, more)
		}
	})
	if err != nil {
		return incidents.Page{}, err
	}
	if len(page.Incidents) > limit {
		page.Incidents = page.Incidents[:limit]
		page.Next = page.Incidents[limit-1].ID
	}
	s.mem.mu.RLock()
	page.Open = s.mem.open
	s.mem.mu.RUnlock()
	return page, nil
}

// Facts implements storage.Store.
func (s *Store) Facts(ctx context.Context, shard int, after int64, max int) ([]incidents.Fact, error) {
	var facts []incidents.Fact
	err := s.read(ctx, "read facts", func(c *conn) error {
		return c.each(readFacts, func(row columns) error {
			facts = append(facts, record.Fact(numberOf(integer(row[0])), blob(row[1])))
			return nil
		}, rowID(shard, after), rowID(shard+1, 0)-1, int64(record.Rows(max)))
	})
	return facts, err
}
