package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/incidents/trust"
)

// Ladder keeps how far each runbook is trusted: one document of the store for each,
// moved by its version, so that no two replicas together let more begin than one
// may. It remembers nothing of its own. What is decided stands in incidents/trust.
type Ladder struct{ LadderOptions }

// LadderOptions are what a Ladder is made of.
type LadderOptions struct {
	Settings Settings
	Freezer  *Freezer
	Now      func() time.Time
	Off      bool                                         // nothing is proposed, and nothing runs by itself
	Brakes   func(runbook string) trust.Brakes            // nil: the defaults
	May      func(incidents.Actor, incidents.Scope) error // whether somebody may still approve there; nil: everybody

	// Sign seals an acceptance, and Signed verifies that: nobody else writes one.
	Sign   func(values ...string) string
	Signed func(seal string, values ...string) error
}

// NewLadder makes a ladder.
func NewLadder(o LadderOptions) *Ladder { return &Ladder{o} }

const trustSetting = "trust/"

// Trusts says whether somebody accepted that the runbook runs by itself for the
// service. Whether it does now is for Start.
func (l *Ladder) Trusts(ctx context.Context, runbook, service string) (bool, error) {
	st, err := l.Standing(ctx, runbook, service)
	return st.Accepted != nil, err
}

// Standing is how far the runbook is trusted with the service.
func (l *Ladder) Standing(ctx context.Context, runbook, service string) (trust.Standing, error) {
	t, _, err := l.read(ctx, runbook)
	return t.Of(service), err
}

// Start notes that a plan begins by itself, and returns whose word it rests on; or
// else what is to be said. Asked again for the same incident, it is the same start.
func (l *Ladder) Start(ctx context.Context, w trust.Wish) (accepted *incidents.Acceptance, word incidents.Word, err error) {
	err = l.change(ctx, w.Plan.Runbook, func(t *trust.Runbook) (bool, error) {
		a := t.Of(w.Scope.Realm()).Accepted
		if accepted, word = nil, (incidents.Word{}); a == nil {
			return false, nil
		}
		because, err := l.withheld(ctx, w, a)
		if err != nil || because.Phrase != "" {
			word = incidents.Word{Said: incidents.EventWithheld, Because: because}
			return false, err
		}
		brakes := trust.DefaultBrakes()
		if l.Brakes != nil {
			brakes = l.Brakes(w.Plan.Runbook)
		}
		accepted, word = t.Start(w, brakes, l.Now())
		return word.Said != incidents.EventWithheld, nil
	})
	return accepted, word, err
}

// withheld is what keeps an accepted plan from beginning besides its brakes.
func (l *Ladder) withheld(ctx context.Context, w trust.Wish, a *incidents.Acceptance) (incidents.Reason, error) {
	switch {
	case l.Off:
		return incidents.Because("because.trust_off"), nil
	case !l.genuine(w.Plan.Runbook, w.Scope.Realm(), a):
		return incidents.Because("because.trust_forged"), nil
	case l.May != nil && l.May(a.By, w.Scope) != nil:
		return incidents.Because("because.trust_right", "by", a.By.Name), nil
	}
	frozen, err := l.Freezer.Holding(ctx)
	if err != nil || frozen == nil {
		return incidents.Reason{}, err
	}
	return frozen.Because(), nil
}

// Release takes back a start that came to nothing.
func (l *Ladder) Release(ctx context.Context, runbook string, id incidents.ID) error {
	return l.change(ctx, runbook, func(t *trust.Runbook) (bool, error) {
		t.Release(id)
		return true, nil
	})
}

// Judge counts what became of a run, once however often it is told, and says what
// the room has to be told of that.
func (l *Ladder) Judge(ctx context.Context, runbook string, o incidents.Outcome) (word incidents.Word, err error) {
	err = l.change(ctx, runbook, func(t *trust.Runbook) (bool, error) {
		word = t.Judge(o, l.Now())
		return true, nil
	})
	if l.Off && word.Said == incidents.EventProposed {
		word = incidents.Word{}
	}
	return word, err
}

// Accept is a person's word that the runbook runs by itself for the service. Said
// twice, it is said once.
func (l *Ladder) Accept(ctx context.Context, runbook, service, digest string, by incidents.Actor) (accepted incidents.Acceptance, err error) {
	if l.Off {
		return accepted, incidents.Fail(incidents.Conflict, "error.no_trust", "nothing can be trusted to run by itself here")
	}
	err = l.change(ctx, runbook, func(t *trust.Runbook) (bool, error) {
		if a := t.Of(service).Accepted; a != nil && a.By.ID == by.ID && strings.HasPrefix(a.Digest, digest) {
			accepted = *a
			return false, nil
		}
		a, err := t.Accept(service, digest, by, l.Now())
		if err != nil {
			return false, err
		}
		a.Seal = l.Sign(sealed(runbook, service, a)...)
		accepted = *a
		return true, nil
	})
	return accepted, err
}

// Revoke takes that back. It says whether there was anything to take back.
func (l *Ladder) Revoke(ctx context.Context, runbook, service string, _ incidents.Actor) (was bool, err error) {
	err = l.change(ctx, runbook, func(t *trust.Runbook) (bool, error) {
		was = t.Revoke(service, l.Now())
		return was, nil
	})
	return was, err
}

// StillStands says why a run that began by itself must not start: what it rests on
// may have been taken back since. The zero Reason where it may, and for any other.
func (l *Ladder) StillStands(ctx context.Context, s *incidents.Incident, r *incidents.Run) (incidents.Reason, error) {
	a := s.Approval(r.Approval)
	if a == nil || a.Standing == nil {
		return incidents.Reason{}, nil
	}
	st, err := l.Standing(ctx, r.Plan.Runbook, s.Scope().Realm())
	switch {
	case err != nil:
		return incidents.Because("because.trust_unread"), err
	case l.Off:
		return incidents.Because("because.trust_off"), nil
	case st.Accepted == nil || st.Accepted.Digest != a.Standing.Digest || st.Accepted.By != a.Standing.By || !st.Accepted.At.Equal(a.Standing.At):
		return incidents.Because("because.trust_revoked"), nil
	case !l.genuine(r.Plan.Runbook, s.Scope().Realm(), st.Accepted):
		return incidents.Because("because.trust_forged"), nil
	}
	return incidents.Reason{}, nil
}

// sealed is all that an acceptance is about.
func sealed(runbook, service string, a *incidents.Acceptance) []string {
	return []string{"trust", runbook, trust.ServiceID(service), a.Digest, a.By.ID, a.By.Name, a.At.UTC().Format(time.RFC3339Nano), strings.Join(a.Rests, " ")}
}

func (l *Ladder) genuine(runbook, service string, a *incidents.Acceptance) bool {
	return l.Signed(a.Seal, sealed(runbook, service, a)...) == nil
}

// change moves a runbook's document; how says whether there is anything to keep.
func (l *Ladder) change(ctx context.Context, runbook string, how func(*trust.Runbook) (keep bool, err error)) error {
	for try := range maxConflicts {
		t, version, err := l.read(ctx, runbook)
		if err != nil {
			return err
		}
		if keep, err := how(&t); err != nil || !keep {
			return err
		}
		body, err := json.Marshal(t)
		if err != nil {
			return fmt.Errorf("encode how far %s is trusted: %w", runbook, err)
		}
		err = l.Settings.PutSetting(ctx, trustSetting+runbook, version, body)
		if err == nil {
			return nil
		}
		if !errors.Is(err, incidents.ErrConflict) {
			return fmt.Errorf("store how far %s is trusted: %w", runbook, err)
		}
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
	return incidents.Fail(incidents.Overloaded, "error.trust_contended", "too much happens to "+runbook+" at once").WithHint("/inc trust")
}

func (l *Ladder) read(ctx context.Context, runbook string) (t trust.Runbook, version int64, err error) {
	kept, err := l.Settings.Setting(ctx, trustSetting+runbook)
	if err != nil {
		return t, 0, fmt.Errorf("ask how far %s is trusted: %w", runbook, err)
	}
	if kept.Version == 0 {
		return t, 0, nil
	}
	if err := json.Unmarshal(kept.Body, &t); err != nil {
		return t, kept.Version, fmt.Errorf("read how far %s is trusted: %w", runbook, err)
	}
	return t, kept.Version, nil
}
