package trust

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Runbook is how far one runbook is trusted, and what it has done with that: one
// document for all replicas. A runbook is suggested first, then proposed, and runs
// by itself once somebody has accepted that, for one service and as long as it
// stays as it is and helps. Everything here is pure; see worker.Ladder for who
// keeps it.
type Runbook struct {
	Services map[string]*Standing `json:"services,omitempty"`
	Starts   []SelfStart          `json:"starts,omitempty"`   // of itself, those that brakes still count, oldest first
	Failures int                  `json:"failures,omitempty"` // runs in a row that did not help, whoever started them, wherever
	Judged   []Judged             `json:"judged,omitempty"`   // runs that were counted, so that none is counted twice
}

// Standing is how far a runbook is trusted with one service.
type Standing struct {
	Digest   string                `json:"digest,omitempty"` // of the runbook that its row is about
	Row      []string              `json:"row,omitempty"`    // the latest runs in a row that helped, all of them
	Proposed time.Time             `json:"proposed,omitzero"`
	Accepted *incidents.Acceptance `json:"accepted,omitempty"` // nil: it does not run by itself
	Ran      []int64               `json:"ran,omitempty"`      // when it ran, whoever started it, in Unix seconds; the latest ones
	At       time.Time             `json:"at"`                 // when anything about it changed
}

// SelfStart is that a runbook began, or is about to begin, by itself.
type SelfStart struct {
	Incident incidents.ID `json:"incident"`
	Service  string       `json:"service,omitempty"`
	At       time.Time    `json:"at"`
	Until    time.Time    `json:"until,omitzero"`    // it may be under way until then; zero: it is over
	Targets  []string     `json:"targets,omitempty"` // while it may be under way
}

// Judged is a run that was counted, and what that led to.
type Judged struct {
	Run  string         `json:"run"`
	Word incidents.Word `json:"word,omitzero"`
}

// Bounds of a runbook's trust. One document holds it all (MaxSetting).
const (
	PromoteAfter = 5  // runs in a row before it is proposed: the last step to automatic is worth a week of looking
	maxServices  = 48 // of one runbook; the one nobody has touched for longest is forgotten
	maxRan       = 20 // times that are kept of one service
	maxJudged    = 64 // a run is judged again only after a crash between two commits
	maxServiceID = 80 // bytes
)

// Judge counts what became of a run, once however often it is told, and says what
// that leads to. The first word on a run counts: that one which was lost helped
// after all does not undo that nobody knew.
func (t *Runbook) Judge(o incidents.Outcome, now time.Time) incidents.Word {
	for i := range t.Judged {
		if t.Judged[i].Run == o.Run {
			return t.Judged[i].Word
		}
	}
	var word incidents.Word
	t.landed(&o, now)
	if o.Tried {
		word = t.count(&o, now)
	}
	t.Judged = append(t.Judged, Judged{Run: o.Run, Word: word})
	t.Judged = t.Judged[max(0, len(t.Judged)-maxJudged):]
	return word
}

// landed ends the flight of a run that began by itself. One of which nobody knows
// may go on, until its steps have had their time.
func (t *Runbook) landed(o *incidents.Outcome, now time.Time) {
	for i := range t.Starts {
		if st := &t.Starts[i]; o.Itself && st.Incident == o.Incident && o.State != incidents.RunUnknown {
			st.Until, st.Targets = time.Time{}, nil
		}
	}
	t.forget(now)
}

func (t *Runbook) count(o *incidents.Outcome, now time.Time) incidents.Word {
	st := t.standing(o.Service, now)
	if st == nil {
		return incidents.Word{}
	}
	if !o.Itself { // else it was counted when it began
		st.ran(o.Started)
	}
	if o.State != incidents.RunVerified {
		t.Failures++
		st.Row, st.Proposed = nil, time.Time{}
		if st.Accepted == nil {
			return incidents.Word{}
		}
		st.Accepted = nil
		return incidents.Word{Said: incidents.EventDemoted, Because: incidents.Because("because.trust_"+string(o.State), "run", o.Run)}
	}
	t.Failures = 0
	word := st.changed(o.Digest)
	switch {
	case st.Accepted != nil:
		return word
	case !o.Clean:
		st.Row, st.Proposed = nil, time.Time{}
		return word
	}
	st.Row = append(slices.Clone(st.Row), o.Run)
	st.Row = st.Row[max(0, len(st.Row)-PromoteAfter):]
	if len(st.Row) < PromoteAfter {
		return word
	}
	st.Proposed = now
	return incidents.Word{Said: incidents.EventProposed, Because: incidents.Because("because.trust_row", "n", strconv.Itoa(PromoteAfter), "runs", strings.Join(st.Row, ", "))}
}

// changed begins anew where the runbook is another one than its row was about.
func (st *Standing) changed(digest string) incidents.Word {
	if st.Digest == digest {
		return incidents.Word{}
	}
	st.Digest, st.Row, st.Proposed = digest, nil, time.Time{}
	if st.Accepted == nil || st.Accepted.Digest == digest {
		return incidents.Word{}
	}
	st.Accepted = nil
	return incidents.Word{Said: incidents.EventDemoted, Because: incidents.Because("because.trust_changed")}
}

// Accept makes the runbook run by itself for a service. It must have been proposed,
// and digest is the one that the approver saw; "" where they saw none.
func (t *Runbook) Accept(service, digest string, by incidents.Actor, now time.Time) (*incidents.Acceptance, error) {
	st := t.Services[ServiceID(service)]
	switch {
	case !by.IsPerson():
		return nil, incidents.Fail(incidents.Forbidden, "error.approve_person", "only people approve")
	case st != nil && st.Accepted != nil:
		return nil, incidents.Fail(incidents.Conflict, "error.trust_already", st.Accepted.By.Name+" accepted that already", "by", st.Accepted.By.Name).WithHint("/inc trust")
	case st == nil || st.Proposed.IsZero():
		n := 0
		if st != nil {
			n = len(st.Row)
		}
		return nil, incidents.Fail(incidents.Conflict, "error.trust_early", "it has helped "+strconv.Itoa(n)+" times in a row, which is not enough",
			"n", strconv.Itoa(n), "of", strconv.Itoa(PromoteAfter)).WithHint("/inc trust")
	case !strings.HasPrefix(st.Digest, digest):
		return nil, incidents.Fail(incidents.Conflict, "error.trust_changed", "the runbook is not the one that was proposed").WithHint("/inc trust")
	}
	st.Accepted = &incidents.Acceptance{By: by, At: now.UTC().Truncate(time.Second), Digest: st.Digest, Rests: st.Row}
	st.Row, st.Proposed, st.At = nil, time.Time{}, now
	return st.Accepted, nil
}

// Revoke takes it back: the runbook is suggested again, and begins its row anew. It
// says whether there was anything to take back.
func (t *Runbook) Revoke(service string, now time.Time) bool {
	st := t.Services[ServiceID(service)]
	if st == nil || st.Accepted == nil && st.Proposed.IsZero() {
		return false
	}
	st.Accepted, st.Row, st.Proposed, st.At = nil, nil, time.Time{}, now
	return true
}

// Of is how the runbook stands with a service; the zero Standing where nothing is
// known.
func (t *Runbook) Of(service string) Standing {
	if st := t.Services[ServiceID(service)]; st != nil {
		return *st
	}
	return Standing{}
}

// standing is the one of a service, made where there is room for it.
func (t *Runbook) standing(service string, now time.Time) *Standing {
	key := ServiceID(service)
	if st := t.Services[key]; st != nil {
		st.At = now
		return st
	}
	if len(t.Services) >= maxServices {
		oldest := ""
		for _, k := range slices.Sorted(maps.Keys(t.Services)) {
			if st := t.Services[k]; st.Accepted == nil && (oldest == "" || st.At.Before(t.Services[oldest].At)) {
				oldest = k
			}
		}
		if oldest == "" {
			return nil // all of them are trusted: this one stays with people
		}
		delete(t.Services, oldest)
	}
	if t.Services == nil {
		t.Services = map[string]*Standing{}
	}
	t.Services[key] = &Standing{At: now}
	return t.Services[key]
}

func (st *Standing) ran(at time.Time) {
	st.Ran = append(st.Ran, at.Unix())
	slices.Sort(st.Ran)
	st.Ran = st.Ran[max(0, len(st.Ran)-maxRan):]
}

// ServiceID is the name under which a service's standing is kept: its own where
// that is plain and short, else a hash of it.
func ServiceID(service string) string {
	odd := func(r rune) bool { return r < ' ' || strings.ContainsRune("\"\\<>&~\u007f\u2028\u2029\ufffd", r) }
	if len(service) <= maxServiceID && !strings.ContainsFunc(service, odd) {
		return service
	}
	sum := sha256.Sum256([]byte(service))
	return "~" + hex.EncodeToString(sum[:16])
}
