package runbooks

import (
	"slices"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// Bounds on what authors write; S34 and S35 of the security requirements.
const (
	MaxFile     = 256 << 10 // bytes a file
	MaxRunbooks = 500       // a library
	MaxDepth    = 32        // of nested YAML
	MaxSteps    = 32        // a section of a runbook
	MaxParams   = 32        // a runbook
	MaxArgs     = 256       // an argv
	maxMarks    = 6_000     // characters of YAML syntax a file, see tooIntricate
)

// Defaults and limits of the times in a runbook.
const (
	CheckTimeout   = 10 * time.Second // of a step of check and verify
	RecoverTimeout = 60 * time.Second // of a step of recover
	MaxTimeout     = 15 * time.Minute
	VerifyEvery    = 5 * time.Second
	VerifyStable   = 30 * time.Second
	VerifyWithin   = 5 * time.Minute
	maxWithin      = 24 * time.Hour
	maxTries       = 10
)

// Runbook is one file, read and found to be without errors. It is never changed
// after it was loaded.
type Runbook struct {
	ID     string // ^[a-z0-9][a-z0-9_-]{0,63}$
	File   string // where it came from, for people
	Digest string // SHA-256 of the file, in hex

	Title incidents.Text // one line
	What  incidents.Text // what it is for
	Where incidents.Text // where it acts
	How   incidents.Text // how it works, and what to know before using it
	Risk  incidents.Risk

	Fits   []incidents.Matcher // all must hold for the labels that an incident's alerts share
	Any    bool                // "fits: any": fits every incident; diagnostics only
	Words  []string            // it also fits an incident that a person declared with one of these words
	Params []Param

	Customers []string // those for whose incidents alone it is there; none: it is everybody's

	Check    []Step
	Recover  []Step   // none in a diagnostic, nor with branches
	Branches []Branch // in the order in which they are tried; none where there is one way only
	Verify   Verify
	Effect   incidents.Text // what its recovery is expected to do, for whoever approves it
	Undo     incidents.Text // how to take it back
	Escalate incidents.Text // said when it did not help
	Manual   incidents.Manual

	content     Content // of what its steps refer to; may be nil
	customersAt int     // the line of customers
}

// Verify is how success is proved, see incidents.Verify.
type Verify struct {
	Steps    []Step
	SameAs   string // "check" where the steps are those of check
	Every    time.Duration
	Stable   time.Duration
	Within   time.Duration
	NoAlerts bool // "alerts: ignore"
}

// The kinds of steps.
const (
	KindCommand = steps.KindCommand
	KindHTTP    = steps.KindHTTP
	KindPromQL  = steps.KindPromQL
	KindSSH     = steps.KindSSH
	KindAnsible = steps.KindAnsible
	KindRundeck = steps.KindRundeck
	KindKompira = steps.KindKompira
	KindLog     = steps.KindLog

	KindInfluxQL = steps.KindInfluxQL
)

// kinds are what a step can be, in the order in which authors are told of them.
var kinds = []string{KindCommand, KindHTTP, KindPromQL, KindSSH, KindAnsible, KindRundeck, KindKompira, KindLog, KindInfluxQL, KindNote, KindRunbook}

// Step is a step as it was written, its arguments still with their places.
// What of the unexported fields is set depends on Kind.
type Step struct {
	ID      string
	Title   incidents.Text
	Kind    string
	Method  string // http; ansible: check or run
	Expect  steps.Expect
	Timeout time.Duration
	Retry   *incidents.Retry // nil: it is tried once

	argv  []template
	url   urlTemplate
	query queryTemplate
	host  template // ssh; ansible: the limit; log: the file
	match template // log

	noteEN, noteJA noteTemplate // note

	target  string   // ansible: the playbook; rundeck: the job; kompira: the flow; runbook: its id
	options []option // ansible, rundeck, kompira, runbook

	line   int      // runbook: where it stands in its file
	callee *Runbook // runbook: once all files are read
}

// Changes says whether the runbook does anything but look.
func (rb *Runbook) Changes() bool {
	return len(rb.Recover) > 0 || slices.ContainsFunc(rb.Branches, func(b Branch) bool { return len(b.Recover) > 0 })
}

// allSteps are those of all sections and branches. Those of a verification that repeats the
// check come twice.
func (rb *Runbook) allSteps() []Step {
	all := slices.Concat(rb.Check, rb.Recover, rb.Verify.Steps)
	for i := range rb.Branches {
		all = slices.Concat(all, rb.Branches[i].Recover, rb.Branches[i].Collect)
	}
	return all
}

// Show is what the step would do, its places as they were written: a command
// line, a method with its URL, or a query. For people, not for execution.
func (s *Step) Show() string {
	words := make([]string, len(s.argv))
	for i, t := range s.argv {
		words[i] = t.String()
	}
	switch s.Kind {
	case KindCommand:
		return CommandLine(words)
	case KindSSH:
		return "ssh " + s.host.String() + " " + CommandLine(words)
	case KindHTTP:
		return s.Method + " " + s.url.String()
	case KindPromQL:
		return s.query.String()
	case KindInfluxQL:
		return KindInfluxQL + " " + s.target + " " + s.match.String()
	case KindNote:
		return s.noteShown()
	default:
		return s.showRemote()
	}
}
