package incidents

import (
	"slices"
	"time"
)

// Run is one execution of an approved plan. It goes approved → running →
// verifying → verified | not verified, or fails, or is unknown. A run is
// claimed by a commit before anything happens (RunRunning); whoever finds a
// claimed run without an outcome must not run it again: it becomes unknown
// and a person decides.
type Run struct {
	ID       string   `json:"id"` // "INC-42/1": handed to every step as its idempotency key
	Approval string   `json:"approval"`
	Plan     Plan     `json:"plan"`
	State    RunState `json:"state"`
	Owner    string   `json:"owner,omitempty"` // which process claimed it

	ApprovedAt time.Time    `json:"approved_at"`
	StartedAt  time.Time    `json:"started_at,omitzero"`
	EndedAt    time.Time    `json:"ended_at,omitzero"` // of the recovery; VerifiedAt comes later
	Before     []StepResult `json:"before,omitempty"`  // the verify steps, before
	Steps      []StepResult `json:"steps,omitempty"`
	After      []StepResult `json:"after,omitempty"` // the verify steps, at the latest look
	Looks      int          `json:"looks,omitempty"`
	WellSince  time.Time    `json:"well_since,omitzero"` // the verify steps pass since
	Deadline   time.Time    `json:"deadline,omitzero"`
	DoneAt     time.Time    `json:"done_at,omitzero"`
	Because    Reason       `json:"because,omitzero"`
}

// RunState is where a run stands.
type RunState string

// The states of a run.
const (
	RunApproved    RunState = "approved"
	RunRunning     RunState = "running"
	RunVerifying   RunState = "verifying"
	RunVerified    RunState = "verified"     // it helped, proved
	RunNotVerified RunState = "not_verified" // it ran, and did not help
	RunFailed      RunState = "failed"       // a step failed
	RunUnknown     RunState = "unknown"      // its owner died, or a step's outcome cannot be known
)

// StepResult is what one step did.
type StepResult struct {
	Step    string        `json:"step"`
	Title   Text          `json:"title,omitzero"`
	OK      bool          `json:"ok"`
	Value   string        `json:"value,omitempty"`  // one line for people: "HTTP 503", "exit 0"
	Code    int           `json:"code,omitempty"`   // a command's exit code, a reply's status
	Number  *float64      `json:"number,omitempty"` // what was compared, where that was a number
	Output  string        `json:"output,omitempty"` // capped
	Error   string        `json:"error,omitempty"`
	Because Reason        `json:"because,omitzero"` // the error as a sentence of the catalogue, where it has one
	Elapsed time.Duration `json:"elapsed"`

	// Unsure: it did not pass, and nobody knows whether it did what it was to do,
	// does it yet, or never will. Not the same as failed.
	Unsure bool `json:"unsure,omitempty"`
}

// RanThrough says that the step came to its end by itself: it passed, or it was seen
// that it had failed. One with an error may have been cut short.
func (r *StepResult) RanThrough() bool { return r.OK || !r.Unsure && r.Error == "" }

// firstUnsure is the first result of which nobody knows what it did, or nil.
func firstUnsure(rs []StepResult) *StepResult {
	if i := slices.IndexFunc(rs, func(r StepResult) bool { return !r.OK && r.Unsure }); i >= 0 {
		return &rs[i]
	}
	return nil
}

// AllOK says whether there are results and all passed.
func AllOK(rs []StepResult) bool {
	return len(rs) > 0 && !slices.ContainsFunc(rs, func(r StepResult) bool { return !r.OK })
}

func (s *Incident) run(id string) *Run {
	for i := range s.Runs {
		if s.Runs[i].ID == id {
			return &s.Runs[i]
		}
	}
	return nil
}

// Run finds a run by id; nil where there is none.
func (s *Incident) Run(id string) *Run { return s.run(id) }

func (s *Incident) runIn(states ...RunState) *Run {
	for i := range s.Runs {
		if slices.Contains(states, s.Runs[i].State) {
			return &s.Runs[i]
		}
	}
	return nil
}

// Busy is the run that is under way, or nil. One at a time: two remedies at
// once cannot be told apart when one of them helps.
func (s *Incident) Busy() *Run { return s.runIn(RunApproved, RunRunning, RunVerifying) }
