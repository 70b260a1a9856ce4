package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Record is one thing that was about to happen, one thing that came of it, or
// one thing that is worth knowing. Which fields are set depends on Action.
type Record struct {
	Seq     int64  `json:"seq"` // 1, 2, … without a gap
	Key     string `json:"key"` // id of the key that its MAC was made with
	At      Time   `json:"at"`
	Kind    Kind   `json:"kind"`
	Action  Action `json:"action"`
	Of      int64  `json:"of,omitempty"`     // outcome: its intent's Seq
	Result  Result `json:"result,omitempty"` // outcome, and notes that have one
	By      Person `json:"by"`
	Replica string `json:"replica"` // which process wrote it
	Where   string `json:"where,omitempty"`
	Why     string `json:"why,omitempty"`

	Incident      string   `json:"incident,omitempty"`
	Run           string   `json:"run,omitempty"`
	Approval      string   `json:"approval,omitempty"`
	Approvers     []Person `json:"approvers,omitempty"`
	ApprovedAt    Time     `json:"approved_at,omitzero"`
	Runbook       string   `json:"runbook,omitempty"`
	RunbookDigest string   `json:"runbook_digest,omitempty"` // SHA-256 of its file
	PlanDigest    string   `json:"plan_digest,omitempty"`
	Risk          string   `json:"risk,omitempty"`
	Step          string   `json:"step,omitempty"`
	StepKind      string   `json:"step_kind,omitempty"`
	Argv          []string `json:"argv,omitempty"`     // redacted
	ArgvMAC       string   `json:"argv_mac,omitempty"` // keyed digest of the real one, see Keys.Digest
	Target        string   `json:"target,omitempty"`   // whom an HTTP or PromQL step talks to, redacted

	Code      int    `json:"code,omitempty"`       // exit code, HTTP status
	Output    int    `json:"output,omitempty"`     // bytes
	OutputMAC string `json:"output_mac,omitempty"` // keyed digest of the output as it came
	Error     string `json:"error,omitempty"`      // the class: a key of the catalogue, or redacted text
	TookMS    int64  `json:"took_ms,omitempty"`
	Before    string `json:"before,omitempty"` // of a reload: digest of what was loaded
	After     string `json:"after,omitempty"`  // and of what is
	Unsaid    int64  `json:"unsaid,omitempty"` // records like this one that were left out before it
}

// Person is who did something.
type Person struct {
	ID   string `json:"id"`             // immutable, with its platform
	Name string `json:"name,omitempty"` // as it was at the time
	From string `json:"from,omitempty"` // the network address, where there is one
}

// Kind parts the records.
type Kind string

// The kinds.
const (
	Intent  Kind = "intent"  // written before; nothing is done without it
	Outcome Kind = "outcome" // what came of an intent: one for each
	Note    Kind = "note"    // stands for itself
)

// Result is what came of it.
type Result string

// The results. Unknown is what somebody else says of a process that died
// between the two; it is never a guess.
const (
	Done    Result = "done"
	Failed  Result = "failed"
	Unknown Result = "unknown"
)

// Action is what was done.
type Action string

// The actions.
const (
	ActStart   Action = "start"   // the process began to work
	ActRun     Action = "run"     // a remediation
	ActStep    Action = "step"    // one try of one of its steps
	ActRequest Action = "request" // somebody asked for one
	ActApprove Action = "approve" //
	ActDeny    Action = "deny"    //
	ActSettle  Action = "settle"  // somebody said what became of an unknown run
	ActFreeze  Action = "freeze"  //
	ActThaw    Action = "thaw"    //
	ActReload  Action = "reload"  // of runbooks or configuration
	ActSignIn  Action = "sign_in" //
	ActItself  Action = "itself"  // a remediation may begin by itself, or is withheld
	ActPropose Action = "propose" // a runbook has earned that
	ActPromote Action = "promote" // somebody accepted it
	ActRevoke  Action = "revoke"  // and took it back
	ActDemote  Action = "demote"  // or it lost that by itself
	ActUnlearn Action = "unlearn" // what was learned of a person, of a service or at all counts no more
	ActOutput  Action = "output"  // somebody read what a step said, whole
	ActRefused Action = "refused" // a right that somebody does not have
	ActStopped Action = "stopped" // a run that the gate did not let begin
	ActGap     Action = "gap"     // records were lost while the store was away
)

// Time is in UTC and to the nanosecond, always written with nine digits, so
// that one moment has one form.
type Time struct{ time.Time }

const timeForm = "2006-01-02T15:04:05.000000000Z"

// TimeOf is t as a record has it.
func TimeOf(t time.Time) Time { return Time{t.UTC().Round(0)} }

// MarshalJSON writes the one form.
func (t Time) MarshalJSON() ([]byte, error) { return []byte(`"` + t.String() + `"`), nil }

// UnmarshalJSON takes the one form and no other.
func (t *Time) UnmarshalJSON(b []byte) error {
	at, err := time.Parse(`"`+timeForm+`"`, string(b))
	if err != nil {
		return errors.New("not a time of the audit")
	}
	t.Time = at
	return nil
}

func (t Time) String() string { return t.Time.UTC().Format(timeForm) }

// MaxBody bounds a record, in bytes: 64 arguments of 256 bytes and the rest.
const MaxBody = 64 << 10

// encode gives the canonical bytes: JSON with the fields in the order above.
func (r *Record) encode() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil {
		return nil, fmt.Errorf("encode an audit record: %w", err)
	}
	body := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if len(body) > MaxBody {
		return nil, fmt.Errorf("an audit record of %d bytes; at most %d", len(body), MaxBody)
	}
	return body, nil
}

// Decode reads canonical bytes, and nothing else: whatever would not be written
// exactly so is refused, so that a record has one form and one reading.
func Decode(body []byte) (*Record, error) {
	if len(body) > MaxBody {
		return nil, fmt.Errorf("decode an audit record: %d bytes; at most %d", len(body), MaxBody)
	}
	var r Record
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		return nil, fmt.Errorf("decode an audit record: %w", err)
	}
	again, err := r.encode()
	if err != nil || !bytes.Equal(again, body) {
		return nil, errors.New("decode an audit record: these are not its canonical bytes")
	}
	return &r, nil
}

// Valid says whether the record can be one of a chain.
func (r *Record) Valid() error {
	switch {
	case r.Action == "":
		return errors.New("an audit record says what was done")
	case r.By.ID == "" || r.Replica == "":
		return errors.New("an audit record says who did it, and which process wrote it")
	case r.At.IsZero():
		return errors.New("an audit record says when")
	}
	switch r.Kind {
	case Intent:
		if r.Of != 0 || r.Result != "" {
			return errors.New("an intent has no result")
		}
	case Outcome:
		if r.Of < 1 || r.Of >= r.Seq && r.Seq != 0 || r.Result != Done && r.Result != Failed && r.Result != Unknown {
			return errors.New("an outcome names an earlier intent and says done, failed or unknown")
		}
	case Note:
	default:
		return fmt.Errorf("there is no kind %q", string(r.Kind))
	}
	return nil
}
