package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
)

// Log is the intake log as the folder reads it.
type Log interface {
	ReadLog(ctx context.Context, log int, after int64, maxBytes int) ([]incidents.Entry, error)
	Mark(ctx context.Context, shard, log int) (int64, error)
	LoadMany(ctx context.Context, refs []incidents.Ref) ([]*incidents.Incident, error)
}

// Folder turns the intake log into incidents. One process folds at a time (a
// lease sees to that, for speed); should two do it, the marks and versions
// they commit against let only one succeed (that is for safety). Within the
// process one goroutine calls Step.
type Folder struct {
	log    Log
	store  Incidents
	shards int
	rules  func() incidents.Rules
	awaits func(a *incidents.Alert, now time.Time) incidents.Expected
	policy incidents.Policy
	now    func() time.Time
	logger *slog.Logger
	shelf  *shelf
	turns  *turns
	ended  *tombs
	quiet  complaints
	marks  map[place]int64 // as this process left them; a commit that meets another forgets them
	sure   map[int]bool    // logs of which this process finished a step
	half   map[int]*step   // by log: begun and not finished
	inARow int             // groups set aside since the last that was folded

	Alerts  atomic.Int64 // alerts folded
	Opened  atomic.Int64 // incidents
	Repeats atomic.Int64 // of them, those that changed nothing
	Aside   atomic.Int64 // alerts that could not be folded, by no fault of the store
	Late    atomic.Int64 // alerts that no incident needed: ends of what none knows, late beginnings of what had ended
}

// folded counts alerts and the incidents that they opened.
type folded struct{ alerts, opened int64 }

func (f *Folder) count() folded { return folded{f.Alerts.Load(), f.Opened.Load()} }

func (n folded) since(before folded) folded {
	return folded{n.alerts - before.alerts, n.opened - before.opened}
}

// FolderOptions are what a Folder is made of.
type FolderOptions struct {
	Log    Log
	Store  Incidents
	Shards int
	Rules  func() incidents.Rules
	Policy incidents.Policy
	Now    func() time.Time
	Logger *slog.Logger

	Expected func(a *incidents.Alert, now time.Time) incidents.Expected // by maintenance; nil: none ever is
}

// NewFolder makes a folder.
func NewFolder(o FolderOptions) *Folder {
	return &Folder{
		log: o.Log, store: o.Store, shards: o.Shards, rules: o.Rules, policy: o.Policy, awaits: o.Expected,
		now: o.Now, logger: o.Logger, shelf: newShelf(), turns: newTurns(), ended: newTombs(), marks: map[place]int64{}, sure: map[int]bool{}, half: map[int]*step{},
	}
}

// batchOf collects what one step has for one group.
type batchOf struct {
	grouping  incidents.Grouping
	source    string
	truncated int
	alerts    []incidents.Alert
	keys      []incidents.Key
}

// portion is what one step has for one shard, groups in order of appearance.
type portion struct {
	groups []*batchOf
	byKey  map[incidents.Key]*batchOf
}

// foldShard commits the part of the entries that belongs to one shard. A shard
// whose mark is ahead was reached by a step that nobody finished, perhaps by
// other rules: what they dealt to another shard would be lost. So the first step
// of a process folds such a shard's part again; an alert that its incident knows
// changes nothing.
func (f *Folder) foldShard(ctx context.Context, st *step, shard int) error {
	hand := st.hands[shard]
	if len(hand) == 0 && shard != st.log {
		return nil
	}
	at := place{shard, st.log}
	for try := range maxConflicts {
		mark, err := f.mark(ctx, at)
		if err != nil {
			return err
		}
		from := mark
		if st.first {
			from = st.after
		}
		if from >= st.last {
			return nil
		}
		left := after(hand, from)
		if len(left) == 0 && shard != st.log {
			return nil
		}
		if st.failed >= patience {
			err = f.foldApart(ctx, st, shard, left, &incidents.Fold{Log: st.log, From: mark, To: mark})
			left = nil
		}
		to := max(mark, st.last)
		if err == nil {
			err = f.commit(ctx, shard, newPortion(st.rules, left), &incidents.Fold{Log: st.log, From: mark, To: to})
		}
		delete(f.marks, at) // after a failure nobody knows
		if err == nil {
			f.marks[at] = to
		}
		if !errors.Is(err, incidents.ErrConflict) {
			return err
		}
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
	return fmt.Errorf("fold log %d into shard %d: %w", st.log, shard, incidents.ErrConflict)
}

// newPortion groups a shard's alerts.
func newPortion(rules incidents.Rules, hand []dealt) *portion {
	p := &portion{byKey: map[incidents.Key]*batchOf{}}
	for i := range hand {
		p.add(rules, &hand[i])
	}
	return p
}

func (p *portion) add(rules incidents.Rules, d *dealt) {
	a := &d.batch.Alerts[d.alert]
	group := p.byKey[d.group]
	if group == nil {
		group = &batchOf{grouping: rules.Group(d.batch.GroupKey, a), source: d.batch.Source}
		group.grouping.Key = d.group // the customer's own
		p.byKey[d.group] = group
		p.groups = append(p.groups, group)
	}
	group.alerts = append(group.alerts, *a)
	group.keys = append(group.keys, a.Fingerprint())
	if d.alert == 0 { // so that it is counted once, in one shard
		group.truncated += d.batch.Truncated
	}
}

// commit moves all incidents of the portion and the mark, in one commit.
func (f *Folder) commit(ctx context.Context, shard int, p *portion, fold *incidents.Fold) (err error) {
	keys := make([]incidents.Key, len(p.groups))
	for i, g := range p.groups {
		keys[i] = g.grouping.Key
	}
	lists, err := f.store.Groups(ctx, shard, keys)
	if err != nil {
		return fmt.Errorf("look up groups: %w", err)
	}
	release, err := f.turns.take(ctx, slices.Concat(lists...)...)
	if err != nil {
		return fmt.Errorf("wait for incidents: %w", err)
	}
	defer release()
	known, err := f.load(ctx, shard, lists)
	if err != nil {
		return err
	}
	c := &incidents.Commit{Shard: shard, Fold: fold}
	var openings []*opening
	var late []lateAlert
	for i, g := range p.groups {
		for _, part := range f.route(g, lists[i], known, &late) {
			if part.id == 0 {
				openings = append(openings, &opening{part: part, list: lists[i]})
				continue
			}
			cmd := incidents.Receive{Source: g.source, Alerts: part.alerts, Keys: part.keys, Truncated: part.truncated}
			cmd.Loud = known[part.id].Expected != "" && firing(part.alerts) && f.expected(part.alerts).By == ""
			if err := f.advance(c, known[part.id].Incident, cmd); err != nil {
				return err
			}
		}
	}
	if err := f.open(ctx, c, openings); err != nil {
		return err
	}
	failpoint.Hit("worker.fold.before_commit")
	if err := f.store.Commit(ctx, c); err != nil {
		return err
	}
	failpoint.Hit("worker.fold.after_commit")
	for _, g := range p.groups {
		f.Alerts.Add(int64(len(g.alerts)))
		f.inARow = 0
	}
	f.Opened.Add(int64(len(openings)))
	f.Late.Add(int64(len(late)))
	f.sayLate(late)
	for _, l := range late {
		if !l.end.IsZero() {
			f.ended.add(l.fp, l.end)
		}
	}
	f.putBack(c, known)
	return nil
}

// opening is a group's alerts that belong to no incident yet.
type opening struct {
	part *routed
	list []incidents.ID
}

func (f *Folder) open(ctx context.Context, c *incidents.Commit, openings []*opening) error {
	if len(openings) == 0 {
		return nil
	}
	first, err := f.store.NewIDs(ctx, c.Shard, len(openings))
	if err != nil {
		return fmt.Errorf("number new incidents: %w", err)
	}
	for i, o := range openings {
		s := &incidents.Incident{}
		id := first + incidents.ID(i)
		cmd := incidents.Open{ID: id, Shard: c.Shard, Source: o.part.source, Grouping: o.part.grouping, Alerts: o.part.alerts, Keys: o.part.keys, Truncated: o.part.truncated}
		cmd.Expected = f.expected(o.part.alerts)
		cmd.Customer = f.policy.Customers.Of(o.part.alerts[0].Labels) // that of all of them: see Apart
		if err := f.advance(c, s, cmd); err != nil {
			return err
		}
		c.Groups = append(c.Groups, incidents.GroupChange{Key: o.part.grouping.Key, Expect: o.list, Next: append(slices.Clone(o.list), id)})
	}
	return nil
}

// advance adds one command's consequences to the commit.
func (f *Folder) advance(c *incidents.Commit, s *incidents.Incident, cmd incidents.Command) error {
	base := s.Version
	events, effects, err := incidents.Advance(s, cmd, f.now(), f.policy)
	if err != nil {
		return fmt.Errorf("decide about %s: %w", s.ID, err)
	}
	if len(events) == 0 {
		f.Repeats.Add(1)
		return nil
	}
	c.Changes = append(c.Changes, incidents.Change{Expect: base, Events: events, State: s})
	c.Effects = append(c.Effects, effects...)
	c.Facts = append(c.Facts, incidents.Facts(s, events)...)
	return nil
}
