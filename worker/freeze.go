package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Settings is where what must last and be the same everywhere is kept.
type Settings interface {
	Setting(ctx context.Context, name string) (incidents.Document, error)
	PutSetting(ctx context.Context, name string, expect int64, body []byte) error
}

// Freezer keeps whether remediation is frozen. It asks the store each time and
// remembers nothing, so there is no moment in which one replica has not heard:
// whoever asks after a freeze was answered is told of it.
type Freezer struct {
	store Settings
	now   func() time.Time
}

// NewFreezer makes a freezer over store.
func NewFreezer(store Settings, now func() time.Time) *Freezer {
	return &Freezer{store: store, now: now}
}

const freezeSetting = "freeze"

// freezeDoc is what is kept: the latest freeze, and the names of the wishes that
// led here, so that a chat which repeats one does not undo a later one.
type freezeDoc struct {
	incidents.Freeze
	Wishes []string `json:"wishes,omitempty"`
}

// keptWishes is how many wishes are remembered: more than there can be between a
// chat's event and its last redelivery, within minutes.
const keptWishes = 64

// Latest is the latest freeze, whether it holds or not; the zero one where there
// never was any.
func (f *Freezer) Latest(ctx context.Context) (incidents.Freeze, error) {
	doc, _, err := f.read(ctx)
	return doc.Freeze, err
}

// Holding is the freeze that holds now, or nil. With an error nobody knows, and
// nothing may start.
func (f *Freezer) Holding(ctx context.Context) (*incidents.Freeze, error) {
	latest, err := f.Latest(ctx)
	if err != nil {
		return nil, err
	}
	if !latest.Holds(f.now()) {
		return nil, nil
	}
	return &latest, nil
}

// Freeze makes fr hold. One that holds for longer stays as it is: two people who
// freeze at once must not shorten each other's. One that is made longer keeps who froze
// first, and why. It returns the one that holds then.
func (f *Freezer) Freeze(ctx context.Context, once string, fr incidents.Freeze) (incidents.Freeze, error) {
	return f.change(ctx, once, func(doc *freezeDoc, now time.Time) bool {
		if doc.Holds(now) && !fr.Outlasts(&doc.Freeze) {
			return false
		}
		if doc.Holds(now) {
			fr.Extends(&doc.Freeze)
		}
		fr.At = now.UTC()
		doc.Freeze = fr
		return true
	})
}

// Thaw lifts the freeze that holds. It returns the one that was lifted; where
// none held, the latest as it is.
func (f *Freezer) Thaw(ctx context.Context, once string, by incidents.Actor) (incidents.Freeze, error) {
	return f.change(ctx, once, func(doc *freezeDoc, now time.Time) bool {
		if !doc.Holds(now) {
			return false
		}
		doc.Lifted = &incidents.Mark{At: now.UTC(), By: by}
		return true
	})
}

func (f *Freezer) change(ctx context.Context, once string, how func(*freezeDoc, time.Time) bool) (incidents.Freeze, error) {
	for try := range maxConflicts {
		doc, version, err := f.read(ctx)
		if err != nil {
			return incidents.Freeze{}, err
		}
		if once != "" && slices.Contains(doc.Wishes, once) || !how(&doc, f.now()) {
			return doc.Freeze, nil
		}
		if once != "" {
			doc.Wishes = append(doc.Wishes, once)
			doc.Wishes = doc.Wishes[max(0, len(doc.Wishes)-keptWishes):]
		}
		body, err := json.Marshal(doc)
		if err != nil {
			return incidents.Freeze{}, fmt.Errorf("encode the freeze: %w", err)
		}
		err = f.store.PutSetting(ctx, freezeSetting, version, body)
		if err == nil {
			return doc.Freeze, nil
		}
		if !errors.Is(err, incidents.ErrConflict) {
			return incidents.Freeze{}, fmt.Errorf("store the freeze: %w", err)
		}
		if err := pause(ctx, try); err != nil {
			return incidents.Freeze{}, err
		}
	}
	return incidents.Freeze{}, incidents.Fail(incidents.Overloaded, "error.freeze_contended", "too many people change the freeze at once").WithHint("/inc freeze status")
}

func (f *Freezer) read(ctx context.Context) (doc freezeDoc, version int64, err error) {
	kept, err := f.store.Setting(ctx, freezeSetting)
	if err != nil {
		return doc, 0, fmt.Errorf("ask whether remediation is frozen: %w", err)
	}
	if kept.Version == 0 {
		return doc, 0, nil
	}
	if err := json.Unmarshal(kept.Body, &doc); err != nil {
		return doc, kept.Version, fmt.Errorf("read whether remediation is frozen: %w", err)
	}
	return doc, kept.Version, nil
}

// Before is what is asked before an approval. The gate asks again before a run.
type Before struct {
	Freeze *Freezer                                         // nil: nothing is approved
	Closed func(s *incidents.Incident, now time.Time) error // the calendar; nil: it never closes
	Clock  Clock                                            // nil: it is right
}

var errNoFreezer = errors.New("nothing says whether remediation is frozen, so nothing is approved")

// mayApprove refuses an approval while remediation is frozen, and while nobody
// can say whether it is.
func (e *Engine) mayApprove(ctx context.Context, id incidents.ID, cmd incidents.Command) error {
	a, approves := cmd.(incidents.Approve)
	if !approves {
		return nil
	}
	if err := e.before.Clock.refusal(); err != nil {
		return err
	}
	if e.before.Closed != nil && a.Despite == "" {
		s, err := e.store.Load(ctx, id)
		if err != nil {
			return fmt.Errorf("load %s: %w", id, err)
		}
		if err := e.before.Closed(s, e.now()); err != nil {
			return err
		}
	}
	if e.before.Freeze == nil {
		return errNoFreezer
	}
	frozen, err := e.before.Freeze.Holding(ctx)
	if err != nil {
		return err
	}
	if frozen != nil {
		return frozen.Refusal()
	}
	return nil
}
