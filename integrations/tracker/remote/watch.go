package remote

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
)

// Stub is a ticket that changed.
type Stub struct {
	Key     string
	Updated time.Time
	Marker  string // where we made it; "" for anybody else's
}

// Look is a ticket as it is now, and what happened in it.
type Look struct {
	Key      string
	State    bot.TicketState
	Word     string // the tracker's own for the state
	Severity incidents.Severity
	Assignee Account
	Updated  time.Time
	Entries  []Entry // in any order
}

// Entry is one thing that somebody did in a ticket. What the ticket is now
// stands for the fields that it touched.
type Entry struct {
	ID      string // lasting, of this tracker
	At      time.Time
	Edited  time.Time // when a comment was changed last
	By      Account
	Fields  []tracker.Field
	Comment *tracker.Comment
}

// Reader looks at tickets.
type Reader interface {
	// Me is the account that the token belongs to.
	Me(ctx context.Context) (Account, error)
	// Changed are the tickets that changed since then, the longest ago first; with
	// more than the tracker tells at once, the first of them.
	Changed(ctx context.Context, since time.Time) ([]Stub, error)
	// Look reads one with what happened in it lately. What happened is asked for
	// before what is, so that nothing is told of a change that it does not show.
	Look(ctx context.Context, key string) (*Look, error)
}

// Watch hears what people change in the tickets of one tracker.
type Watch struct {
	Config   *Config
	System   System
	Reader   Reader
	Once     *Once
	Owner    tracker.Owner // nil: whose a ticket is, only the Changer knows
	Settings Settings
	Now      func() time.Time
	Log      *slog.Logger

	mu    sync.Mutex
	seen  map[string]time.Time // tickets, as they were when they were looked at
	heard map[string]bool      // entries that were told
}

// Hear looks at one ticket because a webhook says that it changed.
func (w *Watch) Hear(ctx context.Context, key string, to tracker.Changer) error {
	_, err := w.look(ctx, key, w.Now().Add(-overlap), to)
	if incidents.CodeOf(err) == incidents.NotFound {
		return nil
	}
	return err
}

// look tells what happened in a ticket since then, and returns its time; none
// where the ticket is nobody's.
func (w *Watch) look(ctx context.Context, key string, from time.Time, to tracker.Changer) (time.Time, error) {
	if w.Owner != nil {
		if _, ours, err := w.Owner.Incident(ctx, key); err != nil || !ours {
			return time.Time{}, err
		}
	}
	me, err := w.Reader.Me(ctx)
	if err != nil {
		return time.Time{}, err
	}
	l, err := w.Reader.Look(ctx, key)
	if err != nil {
		return time.Time{}, err
	}
	for _, c := range w.since(l, me, from) {
		if w.knows(c.Key + "/" + c.ID) {
			continue
		}
		if err := w.tell(ctx, c, to); err != nil {
			return time.Time{}, err
		}
		w.remember(c.Key + "/" + c.ID)
	}
	return l.Updated, nil
}

// since is what happened since then: of each field only the latest change
// counts, and only if it was not ours.
func (w *Watch) since(l *Look, me Account, from time.Time) []tracker.Change {
	entries := slices.Clone(l.Entries)
	slices.SortStableFunc(entries, func(a, b Entry) int { return b.At.Compare(a.At) })
	done := map[tracker.Field]bool{}
	var all []tracker.Change
	for _, e := range entries {
		var latest []tracker.Field
		for _, f := range e.Fields {
			if !done[f] {
				latest = append(latest, f)
			}
			done[f] = true
		}
		if e.By.ID == me.ID || e.At.Before(from) && e.Edited.Before(from) {
			continue
		}
		if c, any := w.change(l, e, latest); any {
			all = append(all, c)
		}
	}
	slices.Reverse(all)
	return all
}

func (w *Watch) change(l *Look, e Entry, fields []tracker.Field) (tracker.Change, bool) {
	c := tracker.Change{Key: l.Key, ID: e.ID, By: w.Config.Actor(e.By, w.System.Name), At: e.At, Comment: e.Comment}
	any := e.Comment != nil
	for _, f := range fields {
		switch f {
		case tracker.Status:
			c.State, c.StatusWord = l.State, l.Word
			any = any || c.State != ""
		case tracker.Priority:
			c.Severity = l.Severity
			any = any || c.Severity != incidents.SevUnknown
		case tracker.Assignee:
			if l.Assignee.ID != "" {
				c.Assignee = w.Config.NameOf(l.Assignee)
			}
			any = any || c.Assignee != ""
		}
	}
	return c, any
}

// tell carries one change on. What is refused for good (the person may not, the
// incident is over) is no reason to hear it again.
func (w *Watch) tell(ctx context.Context, c tracker.Change, to tracker.Changer) error {
	err := to.Changed(ctx, c)
	switch incidents.CodeOf(err) {
	case incidents.Invalid, incidents.NotFound, incidents.Forbidden, incidents.Unauthenticated, incidents.Conflict, incidents.TooLarge:
		w.Log.Info("a change in a ticket was not carried over", "tracker", w.Config.Name, "ticket", c.Key, "by", c.By.ID, "error", err)
		return nil
	}
	return err
}

func (w *Watch) seenAt(key string) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen[key]
}

func (w *Watch) sawAt(key string, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil || len(w.seen) >= maxKnown {
		w.seen = map[string]time.Time{}
	}
	w.seen[key] = at
}

func (w *Watch) knows(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.heard[id]
}

func (w *Watch) remember(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.heard == nil || len(w.heard) >= maxKnown {
		w.heard = map[string]bool{}
	}
	w.heard[id] = true
}
