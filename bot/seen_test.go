package bot

import (
	"context"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// shelf has incidents 1 to n, open ones; of them mine are acme's.
type shelf struct {
	n    int
	mine map[incidents.ID]bool
}

func (s shelf) List(_ context.Context, q incidents.Query) (p incidents.Page, _ error) {
	p.Open = s.n
	for id := incidents.ID(s.n); id > 0; id-- {
		if q.Before > 0 && id >= q.Before {
			continue
		}
		if len(p.Incidents) == q.Limit {
			p.Next = p.Incidents[q.Limit-1].ID
			break
		}
		sum := incidents.Summary{ID: id, Status: incidents.Triggered, Customer: "globex"}
		if s.mine[id] {
			sum.Customer = "acme"
		}
		p.Incidents = append(p.Incidents, sum)
	}
	return p, nil
}

// However many of others' stand before them, one's own are found, and counted
// alone; where that would take too long, it is said.
func TestOnesOwnIncidentsBehindThoseOfOthers(t *testing.T) {
	t.Parallel()
	acme := Reader{Sees: func(c incidents.Scope) bool { return c.Customer == "acme" }}
	for _, c := range []struct {
		name         string
		reader       Reader
		shelf        shelf
		limit        int
		page, open   int
		next         incidents.ID
		cut, openCut bool
	}{
		{name: "behind a thousand", reader: acme, shelf: shelf{1000, map[incidents.ID]bool{1: true}}, limit: 20, page: 1, open: 1},
		{name: "the newest", reader: acme, shelf: shelf{11, map[incidents.ID]bool{11: true}}, limit: 1, page: 1, open: 1},
		{name: "one of two", reader: acme, shelf: shelf{900, map[incidents.ID]bool{1: true, 500: true}}, limit: 1, page: 1, open: 2, next: 500},
		{name: "none", reader: acme, shelf: shelf{900, nil}, limit: 20},
		{name: "too many", reader: acme, shelf: shelf{MostScanned + 1, map[incidents.ID]bool{1: true}}, limit: 20, next: 2, cut: true, openCut: true},
		{name: "just not too many", reader: acme, shelf: shelf{MostScanned, map[incidents.ID]bool{1: true}}, limit: 20, page: 1, open: 1},
		{name: "everybody's", reader: Reader{All: true}, shelf: shelf{11, nil}, limit: 5, page: 5, open: 11, next: 7},
	} {
		got, err := c.reader.List(t.Context(), c.shelf, incidents.Query{Open: true, Limit: c.limit})
		if err != nil || len(got.Incidents) != c.page || got.Page.Open != c.open || got.Next != c.next || got.Cut != c.cut || got.OpenCut != c.openCut {
			t.Errorf("%s: %d incidents, %d open, next %d, cut %v and %v, %v", c.name, len(got.Incidents), got.Page.Open, got.Next, got.Cut, got.OpenCut, err)
		}
	}
}
