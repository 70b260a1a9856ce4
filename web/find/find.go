package find

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Incidents lists incidents and reads their events, as a store does.
type Incidents interface {
	List(ctx context.Context, q incidents.Query) (incidents.Page, error)
	Events(ctx context.Context, id incidents.ID, after int64, max int) ([]incidents.Event, error)
}

// Log is the intake log, as a store has it: one for each shard.
type Log interface {
	ReadLog(ctx context.Context, log int, after int64, maxBytes int) ([]incidents.Entry, error)
	Mark(ctx context.Context, shard, log int) (int64, error)
}

// Options are what a Finder is made of.
type Options struct {
	Incidents Incidents
	Log       Log              // nil: only alerts that incidents keep whole are found
	Shards    int              // intake logs
	Max       int              // alerts that are indexed at most; 0: a million
	Patience  time.Duration    // how long a question catches up at most; 0: 2 s
	Now       func() time.Time // nil: time.Now
}

// The defaults of Options.
const (
	DefaultMax      = 1_000_000
	DefaultPatience = 2 * time.Second
)

// Finder finds alerts. Its methods may be called at once.
type Finder struct {
	incidents Incidents
	log       Log
	logs      int
	patience  time.Duration
	now       func() time.Time

	asked atomic.Uint64 // questions so far
	turn  chan struct{} // held by the one that catches up; guards what follows
	round *round        // under way; nil: none
	// covers: questions up to this one were asked before the last round began.
	covers  uint64
	cursors []int64 // how far each intake log was searched; nil: not yet
	newest  incidents.ID
	listed  time.Time     // when the open incidents were last listed,
	took    time.Duration // and how long that took

	mu     sync.RWMutex // guards the index against questions
	index               // changed by the one that has the turn
	behind bool
	asOf   time.Time
}

// New makes a Finder. It reads nothing before the first question.
func New(o Options) *Finder {
	f := &Finder{
		incidents: o.Incidents, log: o.Log, logs: o.Shards, patience: o.Patience, now: o.Now,
		turn: make(chan struct{}, 1), index: index{pairs: newPairs(), max: o.Max},
	}
	if o.Log == nil {
		f.logs = 0
	}
	if f.max <= 0 {
		f.max = DefaultMax
	}
	if f.patience <= 0 {
		f.patience = DefaultPatience
	}
	if f.now == nil {
		f.now = time.Now
	}
	return f
}

// Query says which alerts.
type Query struct {
	Terms   []Term                     // all must hold of one alert; none: all alerts
	All     bool                       // those that have ended too, while their incident is open
	Limit   int                        // at least 1
	After   Cursor                     // Find: the page after this one
	Before  incidents.ID               // InIncidents: only with a smaller number; 0: all
	Visible func(incidents.Scope) bool // may the reader see the incidents there; nil: all
}

// sees asks for the right, which costs a hundred times what a look at the labels
// does: ask it last.
func (q Query) sees(h *held) bool { return q.Visible == nil || q.Visible(h.scope) }

// Term is a label with its value, or, without a name, a word that some label's
// value holds, upper and lower case alike.
type Term struct{ Name, Value string }

// Alert is one alert of one incident.
type Alert struct {
	Incident     incidents.ID       `json:"incident"`
	Firing       bool               `json:"firing"`
	Severity     incidents.Severity `json:"severity,omitzero"` // as its labels say
	StartsAt     time.Time          `json:"starts_at"`
	LapsesAt     time.Time          `json:"lapses_at,omitzero"` // firing: unless repeated
	EndsAt       time.Time          `json:"ends_at,omitzero"`   // it ended
	LapsedAt     time.Time          `json:"lapsed_at,omitzero"` // it was not repeated
	Labels       incidents.Labels   `json:"labels"`
	Annotations  incidents.Labels   `json:"annotations,omitempty"`
	GeneratorURL string             `json:"generator_url,omitempty"`
	Partial      bool               `json:"partial,omitempty"` // annotations and the URL are left out

	where int64
	log   int
}

// Extent says what an answer is made of.
type Extent struct {
	Complete   bool      `json:"complete"`       // false: there was no time to read everything; ask again
	AsOf       time.Time `json:"as_of,omitzero"` // it holds everything up to then
	NotCovered int       `json:"not_covered"`    // alerts that could not be looked at
}

// Answer is a page of alerts, newest first.
type Answer struct {
	Alerts []Alert `json:"alerts"`
	After  Cursor  `json:"after,omitzero"` // the next page's; zero: this was the last
	Extent
}

// Find finds alerts.
func (f *Finder) Find(ctx context.Context, q Query) (Answer, error) {
	if err := f.ready(ctx); err != nil {
		return Answer{}, err
	}
	f.mu.RLock()
	a := f.answer(q)
	f.mu.RUnlock()
	return a, f.detail(ctx, a.Alerts)
}

// InIncidents finds the incidents that have such an alert, newest first. next is
// the next page's Before; 0: this was the last.
func (f *Finder) InIncidents(ctx context.Context, q Query) (ids []incidents.ID, next incidents.ID, e Extent, err error) {
	if err := f.ready(ctx); err != nil {
		return nil, 0, e, err
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	ids, next = f.having(q)
	return ids, next, f.extent(q), nil
}

// ready catches up for as long as a question may wait. That it was not long
// enough is no error.
func (f *Finder) ready(ctx context.Context) error {
	patient, cancel := context.WithTimeout(ctx, f.patience)
	defer cancel()
	err := f.catchUp(patient)
	if err == nil || ctx.Err() == nil && patient.Err() != nil {
		return nil
	}
	return fmt.Errorf("look for alerts: %w", err)
}

// extent says what an answer is made of.
func (f *Finder) extent(q Query) Extent {
	e := Extent{Complete: !f.behind && !f.asOf.IsZero(), AsOf: f.asOf}
	for _, h := range f.list {
		if n := h.uncovered(); n > 0 && q.sees(h) {
			e.NotCovered += n
		}
	}
	return e
}
