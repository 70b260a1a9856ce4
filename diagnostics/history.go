package diagnostics

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/analysis/similar"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Past is where incidents are kept.
type Past interface {
	List(ctx context.Context, q incidents.Query) (incidents.Page, error)
	Load(ctx context.Context, id incidents.ID) (*incidents.Incident, error)
}

const (
	keepPast   = 5000
	mostAlike  = 3
	leastAlike = 0.3 // a match by less is a coincidence of common words
	often      = 5   // so many within oftenDays are frequent
	oftenDays  = 30 * 24 * time.Hour
	pastPage   = 200
)

// History is the source that knows what happened before. It reads the incidents
// that are over when it is asked, those it has not read yet; what does not fit
// into the deadline it reads the next time. It is safe for concurrent use.
type History struct {
	past Past
	busy chan struct{} // holds one token: a lock that can be given up waiting for
	now  func() time.Time
	read time.Time // when it was last through; whoever holds the token may look

	mu    sync.Mutex
	index map[string]*similar.Index // by customer: nobody reads of another one's past
	known map[incidents.ID]bool
	seen  map[string][]time.Time // by what it is, when it began, ascending
}

// NewHistory makes one that has read nothing.
func NewHistory(past Past) *History {
	return &History{past: past, busy: make(chan struct{}, 1), now: time.Now, index: map[string]*similar.Index{}, known: map[incidents.ID]bool{}, seen: map[string][]time.Time{}}
}

// Name is "history".
func (h *History) Name() string { return "history" }

// Tells is what it knows about.
func (*History) Tells() []incidents.ClueKind {
	return []incidents.ClueKind{incidents.CluePast}
}

// Ask says whether this has happened before, and what helped.
func (h *History) Ask(ctx context.Context, q Question) (Answer, error) {
	err := h.catchUp(ctx)
	s := q.Incident
	rarity, matches := h.find(s)
	answer := Answer{Clues: []incidents.Clue{rarity}}
	for _, m := range matches {
		id, ok := incidents.ParseID(m.ID)
		if !ok || id == s.ID || m.Score < leastAlike {
			continue
		}
		answer.Clues = append(answer.Clues, h.alike(ctx, id, m.Fix))
	}
	return answer, err
}

// find is what is known without asking the store, for which nobody else is to wait.
func (h *History) find(s *incidents.Incident) (rarity incidents.Clue, alike []similar.Match) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.rarity(s), h.of(s.Customer).Find(doc(s, ""), mostAlike)
}

func (h *History) alike(ctx context.Context, id incidents.ID, fix string) incidents.Clue {
	c := incidents.Clue{Kind: incidents.CluePast, Title: id.String()}
	if old, err := h.past.Load(ctx, id); err == nil && old != nil {
		c.Title, c.At = id.String()+" "+old.Title, old.OpenedAt
	}
	c.Says = incidents.Because("clue.past.open", "id", id.String())
	if fix != "" {
		c.Says = incidents.Because("clue.past.fixed", "id", id.String(), "fix", fix)
	}
	return c
}

// rarity says how often this has happened; h.mu is held.
func (h *History) rarity(s *incidents.Incident) incidents.Clue {
	times := slices.DeleteFunc(slices.Clone(h.seen[sort(s)]), func(t time.Time) bool { return !t.Before(s.OpenedAt) })
	c := incidents.Clue{Kind: incidents.CluePast, Title: cmp.Or(s.Common.Get("alertname"), s.Title)}
	if len(times) == 0 {
		c.Says = incidents.Because("clue.past.never", "known", strconv.Itoa(h.of(s.Customer).Len()))
		return c
	}
	c.At = times[len(times)-1]
	recent := 0
	for _, t := range times {
		if t.After(s.OpenedAt.Add(-oftenDays)) {
			recent++
		}
	}
	c.Says = incidents.Because("clue.past.rare", "n", strconv.Itoa(len(times)))
	if recent >= often {
		c.Says = incidents.Because("clue.past.frequent", "n", strconv.Itoa(recent))
	}
	return c
}

// of is the past of one customer, or of what is nobody's; h.mu is held.
func (h *History) of(customer string) *similar.Index {
	index := h.index[customer]
	if index == nil {
		index = similar.New(keepPast)
		h.index[customer] = index
	}
	return index
}

// sort is equal for incidents that people would call the same thing.
func sort(s *incidents.Incident) string {
	return s.Scope().Realm() + "\x00" + strings.ToLower(cmp.Or(s.Common.Get("alertname"), s.Title))
}

func doc(s *incidents.Incident, fix string) similar.Doc {
	attrs := map[string]string{"service": s.Service, "source": s.Source}
	for _, l := range s.Common {
		attrs[l.Name] = l.Value
	}
	return similar.Doc{ID: s.ID.String(), Attrs: attrs, Text: s.Title + " " + s.Description, Fix: fix}
}

// readEvery is how often it is looked for incidents that are over: in a storm each of
// thousands would list all the others that are open.
const readEvery = 10 * time.Second

// catchUp learns the incidents that are over and not known yet, the oldest first.
func (h *History) catchUp(ctx context.Context) error {
	select {
	case h.busy <- struct{}{}:
		defer func() { <-h.busy }()
	case <-ctx.Done():
		return ctx.Err()
	}
	began := h.now()
	if !h.read.IsZero() && began.Sub(h.read) < readEvery {
		return nil
	}
	fresh, err := h.unread(ctx)
	if err != nil {
		return err
	}
	slices.Sort(fresh)
	for _, id := range fresh {
		s, err := h.past.Load(ctx, id)
		if err != nil {
			return fmt.Errorf("read %s: %w", id, err)
		}
		h.learn(s)
	}
	h.read = began
	return nil
}

// unread are the numbers of incidents that are over and not known, of the latest
// keepPast; the search ends at a page that is known throughout.
func (h *History) unread(ctx context.Context) ([]incidents.ID, error) {
	var fresh []incidents.ID
	q := incidents.Query{Limit: pastPage}
	for range keepPast / pastPage {
		page, err := h.past.List(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("list incidents: %w", err)
		}
		some := false
		h.mu.Lock()
		for i := range page.Incidents {
			s := &page.Incidents[i]
			if h.known[s.ID] {
				continue
			}
			some = true
			if !s.Status.Open() {
				fresh = append(fresh, s.ID)
			}
		}
		h.mu.Unlock()
		if q.Before = page.Next; page.Next == 0 || !some {
			break
		}
	}
	return fresh, nil
}

func (h *History) learn(s *incidents.Incident) {
	if s == nil || s.Discarded || s.Status().Open() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.known[s.ID] = true
	h.of(s.Customer).Add(doc(s, fixOf(s)))
	kind := sort(s)
	times := append(h.seen[kind], s.OpenedAt)
	slices.SortFunc(times, time.Time.Compare)
	h.seen[kind] = times[max(0, len(times)-keepPast):]
}

// fixOf is what ended an incident: the last run that was proved to help.
func fixOf(s *incidents.Incident) string {
	for i := len(s.Runs) - 1; i >= 0; i-- {
		if s.Runs[i].State == incidents.RunVerified {
			return s.Runs[i].Plan.Runbook
		}
	}
	return ""
}
