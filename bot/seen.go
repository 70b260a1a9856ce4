package bot

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// The bounds of looking for what somebody may see among everybody's incidents.
const (
	scanPage  = 200 // the most that a store gives at once
	MostScans = 10  // pages of a list, and as many of its count
)

// MostScanned is how many incidents a list looks through for one person.
const MostScanned = scanPage * MostScans

// Lister gives a page of everybody's incidents.
type Lister interface {
	List(ctx context.Context, q incidents.Query) (incidents.Page, error)
}

// Seen is a page of what one person sees.
type Seen struct {
	incidents.Page
	// Where MostScanned were looked through and there are more, the page is shorter
	// than its limit (Next goes on), and Open counts those among the newest only.
	Cut     bool `json:"cut,omitempty"`
	OpenCut bool `json:"open_cut,omitempty"`
}

// Reader is whose list it is.
type Reader struct {
	All  bool                       // sees every incident
	Sees func(incidents.Scope) bool // asked where not All
}

// ReaderOf is somebody with the rights they have.
func ReaderOf(rights Rights, p incidents.Actor) Reader {
	return Reader{
		All:  rights.May(p, View, Overall) == nil,
		Sees: func(scope incidents.Scope) bool { return rights.May(p, View, Of(scope)) == nil },
	}
}

// List is a page of what the reader sees: full, where there is enough, however
// many of others' stand between. Of those not even the number is told.
func (r Reader) List(ctx context.Context, from Lister, q incidents.Query) (Seen, error) {
	if r.All {
		page, err := from.List(ctx, q)
		return Seen{Page: page}, err
	}
	limit := q.Limit
	if limit <= 0 {
		limit = 50
	}
	out := Seen{Page: incidents.Page{Incidents: []incidents.Summary{}}}
	last, err := r.scan(ctx, from, q, func(sum incidents.Summary) bool {
		if len(out.Incidents) == limit {
			out.Next = out.Incidents[limit-1].ID
			return false
		}
		out.Incidents = append(out.Incidents, sum)
		return true
	})
	if err != nil {
		return out, err
	}
	if last > 0 {
		out.Next, out.Cut = last, true
	}
	if q.Open && q.Service == "" && q.Before == 0 && out.Next == 0 {
		out.Page.Open = len(out.Incidents) // these are all
		return out, nil
	}
	out.Page.Open, out.OpenCut, err = r.Open(ctx, from)
	return out, err
}

// Open is how many open incidents the reader sees; cut: among the newest
// MostScanned, and there are more.
func (r Reader) Open(ctx context.Context, from Lister) (n int, cut bool, err error) {
	if r.All {
		page, err := from.List(ctx, incidents.Query{Limit: 1})
		return page.Open, false, err
	}
	last, err := r.scan(ctx, from, incidents.Query{Open: true}, func(incidents.Summary) bool { n++; return true })
	return n, last > 0, err
}

// scan goes through what the reader sees, until see has enough. It returns where
// it gave up; 0: it did not.
func (r Reader) scan(ctx context.Context, from Lister, q incidents.Query, see func(incidents.Summary) bool) (incidents.ID, error) {
	q.Limit = scanPage
	for range MostScans {
		page, err := from.List(ctx, q)
		if err != nil {
			return 0, err
		}
		for i := range page.Incidents {
			if sum := page.Incidents[i]; r.Sees(sum.Scope()) && !see(sum) {
				return 0, nil
			}
		}
		if q.Before = page.Next; q.Before == 0 {
			return 0, nil
		}
	}
	return q.Before, nil
}

// Unseen is the answer to who may not see an incident: the same as of one that
// does not exist, for whoever may see others. nil: they see it.
func Unseen(rights Rights, p incidents.Actor, s *incidents.Incident) error {
	err := rights.May(p, View, Of(s.Scope()))
	if err == nil || rights.May(p, View, InGeneral) != nil {
		return err
	}
	return NoIncident()
}

// NoIncident says that there is none of that number.
func NoIncident() error {
	return incidents.Fail(incidents.NotFound, "error.no_incident", "there is no such incident").WithHint("/inc list")
}
