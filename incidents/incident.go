package incidents

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ID is an incident's number, counted from 1. People write it INC-42, or 42.
type ID int64

func (id ID) String() string { return "INC-" + strconv.FormatInt(int64(id), 10) }

// ParseID reads INC-42, inc-0042, #42 or 42.
func ParseID(s string) (ID, bool) {
	digits := strings.TrimPrefix(s, "#")
	if len(s) > 4 && strings.EqualFold(s[:4], "inc-") {
		digits = s[4:]
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return ID(n), err == nil && n > 0 && digits[0] != '+'
}

// Actor is who did something.
type Actor struct {
	ID   string `json:"id"`             // immutable, with its platform: "console:you", "slack:T1/U2", "bot", "source:alertmanager"
	Name string `json:"name,omitempty"` // for people, as it was at the time
}

// Bot is Hikeshi itself.
var Bot = Actor{ID: "bot", Name: "hikeshi"}

// SourceActor is an alert source.
func SourceActor(name string) Actor { return Actor{ID: "source:" + name, Name: name} }

// IsPerson says whether a person did it.
func (a Actor) IsPerson() bool {
	return a.ID != "" && a.ID != Bot.ID && !strings.HasPrefix(a.ID, "source:")
}

// Mark is something a person did, and when.
type Mark struct {
	At      time.Time `json:"at"`
	By      Actor     `json:"by"`
	Because Reason    `json:"because,omitzero"`
	Seal    string    `json:"seal,omitempty"` // of an approval, see Warrant
}

// after says whether m replaces old in a register that keeps the latest word.
// Of two words of one moment the order of the people's ids decides: any rule
// will do that does not depend on which one was heard first.
func (m *Mark) after(old *Mark) bool {
	return old == nil || cmp.Or(m.At.Compare(old.At), strings.Compare(m.By.ID, old.By.ID)) > 0
}

// Incident is the state: everything that is true of one incident. It is made
// only by Apply. What can be derived (see Status) is not stored.
type Incident struct {
	ID      ID    `json:"id"`
	Shard   int   `json:"shard"`
	Version int64 `json:"version"` // number of events applied; the compare of compare-and-swap

	Title       string    `json:"title"`
	Description string    `json:"description,omitempty"`
	Service     string    `json:"service,omitempty"`
	Customer    string    `json:"customer,omitempty"` // decided once, with what it began with
	Source      string    `json:"source,omitempty"`
	Group       Key       `json:"group,omitzero"` // zero for an incident that a person declared
	Because     Reason    `json:"because,omitzero"`
	Rule        RuleRef   `json:"rule"`
	Common      Labels    `json:"common,omitempty"`  // labels that all alerts share
	Samples     AlertList `json:"samples,omitempty"` // the first MaxSamples alerts, whole
	Alerts      AlertSet  `json:"alerts"`
	Untracked   int       `json:"untracked,omitempty"`
	Truncated   int       `json:"truncated,omitempty"` // alerts that the senders said they left out

	OpenedAt  time.Time `json:"opened_at"` // when it began: the first alert's start, or the declaration
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	Declared  *Mark     `json:"declared,omitempty"`
	HeldUntil time.Time `json:"held_until,omitzero"`
	Released  bool      `json:"released"`           // past its hold: people know of it
	Expected  string    `json:"expected,omitempty"` // held for this maintenance
	Discarded bool      `json:"discarded,omitempty"`

	AlertSeverity Severity `json:"alert_severity"`
	SetSeverity   *Setting `json:"set_severity,omitempty"` // a person's word wins

	Acks         []Mark    `json:"acks,omitempty"`
	Commander    *Mark     `json:"commander,omitempty"`
	Responders   []Mark    `json:"responders,omitempty"`
	Resolved     *Mark     `json:"resolved,omitempty"`
	Reopened     *Mark     `json:"reopened,omitempty"`
	Closed       *Mark     `json:"closed,omitempty"`
	Escalated    []Mark    `json:"escalated,omitempty"`
	RemindedAt   time.Time `json:"reminded_at,omitzero"`
	ClearedHeard time.Time `json:"cleared_heard,omitzero"` // when we heard that the last alert had ended
	Notes        int       `json:"notes,omitempty"`
	ByHand       bool      `json:"by_hand,omitempty"` // people noted commands that they ran

	Todos []Todo `json:"todos,omitempty"` // follow-ups

	Said    map[string]SaidState `json:"said,omitempty"`    // by the message's key
	Unheard int                  `json:"unheard,omitempty"` // messages beyond MaxSaid, which the other rooms do not show

	Rooms       map[string]Room                 `json:"rooms,omitempty"`   // by chat
	Tickets     map[string]Ticket               `json:"tickets,omitempty"` // by tracker
	DiagnosedAt time.Time                       `json:"diagnosed_at,omitzero"`
	Findings    []Finding                       `json:"findings,omitempty"`
	Clues       []Clue                          `json:"clues,omitempty"`
	Useful      map[string]map[string]int       `json:"useful,omitempty"` // item of the investigation → person → −1, +1
	RankedAt    time.Time                       `json:"ranked_at,omitzero"`
	Suggestions []Suggestion                    `json:"suggestions,omitempty"`
	Replanned   time.Time                       `json:"replanned,omitzero"`   // when the plan of a suggested action last changed
	NoAction    Reason                          `json:"no_action,omitzero"`   // why nothing is suggested
	Moved       []RankMove                      `json:"moved,omitempty"`      // what the latest feedback moved
	Votes       map[string]map[string]int       `json:"votes,omitempty"`      // action → person → −1, +1
	Objections  map[string]map[string]Objection `json:"objections,omitempty"` // action → person → what they say is wrong with it
	Approvals   []Approval                      `json:"approvals,omitempty"`
	Runs        []Run                           `json:"runs,omitempty"`
	Failed      map[string]string               `json:"failed,omitempty"` // effects given up, by key, with the reason
	Trust       map[string]TrustWord            `json:"trust,omitempty"`  // by action: the latest word here on whether it runs by itself
}

// RuleRef is what an incident keeps of the rule that made it, so that a
// changed configuration does not change open incidents.
type RuleRef struct {
	Name     string        `json:"name,omitempty"`
	Window   time.Duration `json:"window,omitempty"`
	Reopen   time.Duration `json:"reopen,omitempty"`
	Quiet    time.Duration `json:"quiet,omitempty"`
	Severity Severity      `json:"severity,omitzero"`
}

// Setting is a severity that a person chose.
type Setting struct {
	Severity Severity `json:"severity"`
	Mark
}

// after is Mark's, with the worse severity the later of two that one person
// set at one moment.
func (s *Setting) after(old *Setting) bool {
	if old == nil || s.Mark.after(&old.Mark) {
		return true
	}
	return !old.Mark.after(&s.Mark) && s.Severity.WorseThan(old.Severity)
}

// Bounds on what one incident keeps in its state. The log keeps everything.
const (
	MaxSamples    = 10
	MaxResponders = 50
	MaxMarks      = 50
	MaxRuns       = 50
	MaxApprovals  = 50
)

// Severity is what a person set, else the worst its alerts said, else SEV3.
func (s *Incident) Severity() Severity {
	switch {
	case s.SetSeverity != nil:
		return s.SetSeverity.Severity
	case s.AlertSeverity != SevUnknown:
		return s.AlertSeverity
	default:
		return Sev3
	}
}

// Slug is the deterministic name of the incident's room, the same on every
// replica and after every crash: inc-0042-checkout-5xx. At most 60 bytes of
// a–z, 0–9 and hyphens, which every chat accepts; the number comes first so
// that cutting never hides it.
func (s *Incident) Slug() string {
	name := fmt.Sprintf("inc-%04d", int64(s.ID))
	var b strings.Builder
	for _, r := range strings.ToLower(s.Title) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() >= 50 {
			break
		}
	}
	if tail := strings.Trim(b.String(), "-"); tail != "" {
		name += "-" + tail
	}
	return name
}
