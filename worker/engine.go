package worker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Incidents is what the engine needs of a store.
type Incidents interface {
	Load(ctx context.Context, id incidents.ID) (*incidents.Incident, error)
	Events(ctx context.Context, id incidents.ID, after int64, max int) ([]incidents.Event, error)
	NewIDs(ctx context.Context, shard, n int) (incidents.ID, error)
	Groups(ctx context.Context, shard int, keys []incidents.Key) ([][]incidents.ID, error)
	Commit(ctx context.Context, c *incidents.Commit) error
}

// Engine carries out commands, one commit each.
type Engine struct {
	store  Incidents
	shards int
	policy incidents.Policy
	now    func() time.Time
	turns  *turns
	shelf  *shelf
	seal   func(incidents.Warrant) string
	before Before
}

// EngineOptions are what an Engine is made of.
type EngineOptions struct {
	Store  Incidents
	Shards int
	Policy incidents.Policy
	Now    func() time.Time
	Before Before                         // asked before an approval
	Seal   func(incidents.Warrant) string // seals approvals; nil: they bear none
}

// NewEngine makes an engine.
func NewEngine(o EngineOptions) *Engine {
	return &Engine{store: o.Store, shards: o.Shards, policy: o.Policy, now: o.Now, turns: newTurns(), shelf: newShelf(), seal: o.Seal, before: o.Before}
}

// maxConflicts bounds how often one command is decided anew because somebody
// else was faster. Each conflict means that another commit went through.
const maxConflicts = 50

// Do carries out cmd on incident id. once, if not empty, names the wish: the
// same wish never works twice within 24 hours, however often its chat repeats
// it. It returns the incident as it is afterwards.
func (e *Engine) Do(ctx context.Context, id incidents.ID, once string, cmd incidents.Command) (*incidents.Incident, error) {
	var h *shelved
	err := e.mayApprove(ctx, id, cmd)
	if err != nil {
		h, err = e.repeated(ctx, id, once, err)
	} else {
		h, err = e.do(ctx, id, wish{once: once, cmd: cmd})
	}
	if err != nil {
		return nil, err
	}
	return h.Incident, nil
}

// Finish is Do for the outcome of a claimed effect: the effect is acknowledged
// in the same commit, even where the outcome changes nothing. It returns
// incidents.ErrClaimLost when the effect is not ours any more; then nothing
// was committed.
func (e *Engine) Finish(ctx context.Context, claim *incidents.Claim, cmd incidents.Command) error {
	_, err := e.do(ctx, claim.Effect.Incident, wish{done: claim, cmd: cmd})
	return err
}

// finishFrom is Finish for a command that was made from h and will change it.
// Afterwards h is the engine's. Should the incident have moved on meanwhile, it
// is read and decided as by Finish.
func (e *Engine) finishFrom(ctx context.Context, h *shelved, claim *incidents.Claim, cmd incidents.Command) error {
	release, err := e.turns.take(ctx, h.ID)
	if err != nil {
		return fmt.Errorf("wait for %s: %w", h.ID, err)
	}
	err = e.step(ctx, h, wish{done: claim, cmd: cmd, unsure: true})
	if err == nil {
		e.shelf.put(h)
	}
	release()
	if errors.Is(err, errUnsure) || errors.Is(err, incidents.ErrConflict) {
		return e.Finish(ctx, claim, cmd)
	}
	return err
}

// wish is a command, and what its commit settles besides.
type wish struct {
	once   string
	done   *incidents.Claim
	cmd    incidents.Command
	unsure bool // the state may be an earlier one: a refusal, or that nothing is to be done, must not be believed
}

func (e *Engine) do(ctx context.Context, id incidents.ID, w wish) (*shelved, error) {
	for try := range maxConflicts {
		h, err := e.attempt(ctx, id, w)
		switch {
		case err == nil:
			return h, nil
		case errors.Is(err, incidents.ErrOnce):
			return e.fresh(ctx, id)
		case !errors.Is(err, incidents.ErrConflict):
			return e.repeated(ctx, id, w.once, err)
		}
		if err := pause(ctx, try); err != nil {
			return nil, err
		}
	}
	return nil, incidents.Fail(incidents.Overloaded, "error.contended", "too many things happen to "+id.String()+" at once", "id", id.String())
}

func (e *Engine) fresh(ctx context.Context, id incidents.ID) (*shelved, error) {
	s, err := e.store.Load(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", id, err)
	}
	return &shelved{Incident: s}, nil
}

// repeated is the answer to a wish that did not go through: where the same wish
// did before, its answer was lost, and what it led to is no reason to refuse it.
func (e *Engine) repeated(ctx context.Context, id incidents.ID, once string, refused error) (*shelved, error) {
	if incidents.CodeOf(refused) == incidents.Internal {
		return nil, refused
	}
	if happened, err := e.Happened(ctx, id, once); err != nil || !happened {
		return nil, refused
	}
	return e.fresh(ctx, id)
}

// Happened says whether the wish that once names was carried out on incident id
// in the last 24 hours. Whoever looks into the present state to understand a
// wish asks this first: the state may be what the wish itself made of it.
func (e *Engine) Happened(ctx context.Context, id incidents.ID, once string) (bool, error) {
	if once == "" {
		return false, nil
	}
	s, err := e.store.Load(ctx, id)
	if err != nil {
		return false, fmt.Errorf("load %s: %w", id, err)
	}
	// A store looks at Once first. No log was ever read up to before its start,
	// so this commit does not happen whatever Once says.
	err = e.store.Commit(ctx, &incidents.Commit{Shard: s.Shard, Once: once, Fold: &incidents.Fold{From: -1, To: -1}})
	switch {
	case errors.Is(err, incidents.ErrOnce):
		return true, nil
	case errors.Is(err, incidents.ErrConflict):
		return false, nil
	case err == nil:
		return false, errors.New("a commit went through that cannot")
	}
	return false, fmt.Errorf("ask whether a wish was carried out on %s: %w", id, err)
}

// attempt decides and commits once. An outcome leaves the incident on the
// shelf; the answer to a command is the caller's.
func (e *Engine) attempt(ctx context.Context, id incidents.ID, w wish) (*shelved, error) {
	release, err := e.turns.take(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("wait for %s: %w", id, err)
	}
	defer release()
	h := e.shelf.take(id)
	if h != nil {
		w.unsure = true
		err = e.step(ctx, h, w)
	}
	if h == nil || errors.Is(err, errUnsure) {
		if h, err = e.fresh(ctx, id); err != nil {
			return nil, err
		}
		w.unsure = false
		err = e.step(ctx, h, w)
	}
	if err != nil {
		return nil, err
	}
	if w.done != nil {
		e.shelf.put(h)
	}
	return h, nil
}

// errUnsure is that there is nothing to commit, by a state that may be an
// earlier one.
var errUnsure = errors.New("nothing to commit as far as is known")

// step decides the wish for h and commits it.
func (e *Engine) step(ctx context.Context, h *shelved, w wish) error {
	s, once, done := h.Incident, w.once, w.done
	base := s.Version
	events, effects, err := incidents.Advance(s, w.cmd, e.now(), e.policy)
	if w.unsure && (err != nil || len(events) == 0) {
		return errUnsure
	}
	if err != nil {
		return err
	}
	if len(events) == 0 && done == nil {
		return nil
	}
	c := &incidents.Commit{Shard: s.Shard, Once: once, Done: done, Effects: effects}
	if len(events) > 0 {
		if e.seal != nil {
			s.Seal(events, e.seal)
		}
		c.Changes = []incidents.Change{{Expect: base, Events: events, State: s}}
		c.Facts = incidents.Facts(s, events)
		if c.Groups, err = e.ungroup(ctx, s); err != nil {
			return err
		}
	}
	if done != nil && done.Effect.Kind == incidents.DoTimer {
		c.Effects = append(c.Effects, incidents.Rearm(s, done.Effect.Arg, e.policy)...)
	}
	if err := e.store.Commit(ctx, c); err != nil {
		return err
	}
	h.wrote(events)
	return nil
}

// ungroup takes an incident that is over for good out of its group, so that
// the group's next alert opens a new one.
func (e *Engine) ungroup(ctx context.Context, s *incidents.Incident) ([]incidents.GroupChange, error) {
	status := s.Status()
	if s.Group == (incidents.Key{}) || status != incidents.Closed && status != incidents.Discarded {
		return nil, nil
	}
	lists, err := e.store.Groups(ctx, s.Shard, []incidents.Key{s.Group})
	if err != nil {
		return nil, fmt.Errorf("look up the group of %s: %w", s.ID, err)
	}
	if !slices.Contains(lists[0], s.ID) {
		return nil, nil
	}
	next := slices.DeleteFunc(slices.Clone(lists[0]), func(id incidents.ID) bool { return id == s.ID })
	return []incidents.GroupChange{{Key: s.Group, Expect: lists[0], Next: next}}, nil
}

// Declare opens an incident by hand; its number and its shard are given here.
func (e *Engine) Declare(ctx context.Context, once string, d incidents.Declare) (*incidents.Incident, error) {
	name := []string{"declared", once} // the same wish goes to the same shard, where its name is known
	if once == "" {
		name = append(name, d.Title, d.By.ID, strconv.FormatInt(e.now().UnixNano(), 10))
	}
	shard := incidents.KeyOf(name...).Shard(e.shards)
	id, err := e.store.NewIDs(ctx, shard, 1)
	if err != nil {
		return nil, fmt.Errorf("number a new incident: %w", err)
	}
	d.ID, d.Shard = id, shard
	h := &shelved{Incident: &incidents.Incident{}}
	err = e.step(ctx, h, wish{once: once, cmd: d})
	if errors.Is(err, incidents.ErrOnce) {
		return nil, incidents.Fail(incidents.Conflict, "error.declared_already", "this was declared already").WithHint("/inc list")
	}
	if err != nil {
		return nil, err
	}
	return h.Incident, nil
}

// Again asks for the investigation or the ranking of an incident to be done
// once more.
func (e *Engine) Again(ctx context.Context, id incidents.ID, kind incidents.EffectKind) error {
	s, err := e.store.Load(ctx, id)
	if err != nil {
		return fmt.Errorf("load %s: %w", id, err)
	}
	effects := incidents.Ask(s, kind, e.now(), e.policy)
	if len(effects) == 0 {
		return nil
	}
	return e.store.Commit(ctx, &incidents.Commit{Shard: s.Shard, Effects: effects})
}

// Load returns the incident as it is.
func (e *Engine) Load(ctx context.Context, id incidents.ID) (*incidents.Incident, error) {
	return e.store.Load(ctx, id)
}

// pause waits a little before the next try, more with each.
func pause(ctx context.Context, try int) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(rand.N(time.Millisecond << min(try, 6))):
		return nil
	}
}
