package incidents

import "time"

// EventKind names what happened.
type EventKind string

// The kinds of events. flow.go says what follows from each.
const (
	EventHeld        EventKind = "held"         // opened quietly, waiting out its hold
	EventOpened      EventKind = "opened"       // people are told from here on
	EventDiscarded   EventKind = "discarded"    // cleared within its hold
	EventAlerts      EventKind = "alerts"       // alerts joined, cleared or fired again
	EventSeen        EventKind = "seen"         // known alerts go on: a new term before they would lapse
	EventSeverity    EventKind = "severity"     // a person set it
	EventAcked       EventKind = "acknowledged" //
	EventLead        EventKind = "lead"         // somebody is the commander
	EventAssigned    EventKind = "assigned"     // somebody is a responder
	EventNoted       EventKind = "noted"        // a person, or a runbook, wrote it down
	EventSaid        EventKind = "said"         // somebody said something in one of the rooms
	EventTodo        EventKind = "todo"         // a person wrote down what is left to do
	EventTodoDone    EventKind = "todo_done"    //
	EventTodoOpen    EventKind = "todo_open"    // it is not done, or dropped, after all
	EventTodoDropped EventKind = "todo_dropped" // nobody will do it
	EventPinned      EventKind = "pinned"       // it was put on the timeline, or taken off
	EventReminded    EventKind = "reminded"     // nobody acknowledged in time
	EventRoomOpened  EventKind = "room_opened"  //
	EventRoomWanted  EventKind = "room_wanted"  // a person wants one that the incident need not share
	EventRoomSynced  EventKind = "room_synced"  // book-keeping: which messages stand where
	EventDiagnosed   EventKind = "diagnosed"    // the first investigation is done
	EventConsulted   EventKind = "consulted"    // a person asked the sources, and got an answer
	EventUseful      EventKind = "useful"       // a person's word on one item of the first investigation
	EventRanked      EventKind = "ranked"       // next actions, or why there is none
	EventVoted       EventKind = "voted"        // 👍 or 👎
	EventRequested   EventKind = "requested"    // somebody asks to run a plan
	EventAgreed      EventKind = "agreed"       // one of two approves
	EventApproved    EventKind = "approved"     // the last one who must
	EventDenied      EventKind = "denied"       //
	EventExpired     EventKind = "expired"      // nobody decided in time
	EventWithdrawn   EventKind = "withdrawn"    // whoever asked took it back
	EventRunStarted  EventKind = "run_started"  // the claim: from here on it may have happened
	EventRunFinished EventKind = "run_finished" // every step passed
	EventRunFailed   EventKind = "run_failed"   // a step failed
	EventRunUnknown  EventKind = "run_unknown"  // its owner died, or a step cannot say what it did
	EventLooked      EventKind = "looked"       // one look at whether it is better
	EventVerified    EventKind = "verified"     // it is
	EventNotVerified EventKind = "not_verified" // it is not
	EventEscalated   EventKind = "escalated"    // a human has to take over
	EventResolved    EventKind = "resolved"     //
	EventReopened    EventKind = "reopened"     //
	EventClosed      EventKind = "closed"       //
	EventGaveUp      EventKind = "gave_up"      // an effect failed for good

	EventProposed EventKind = "trust_proposed" // an action could run by itself from now on
	EventAccepted EventKind = "trust_accepted" // an approver says that it does
	EventRevoked  EventKind = "trust_revoked"  // and takes that back
	EventDemoted  EventKind = "trust_demoted"  // it lost that by itself
	EventWithheld EventKind = "trust_withheld" // it would have run by itself, and did not
)

// The kinds about tickets.
const (
	EventTicketOpened   EventKind = "ticket_opened"   //
	EventTicketLinked   EventKind = "ticket_linked"   // a person chose an existing one
	EventTicketUnlinked EventKind = "ticket_unlinked" //
	EventTicketAsked    EventKind = "ticket_asked"    // a person wants one, or another one
	EventTicketSynced   EventKind = "ticket_synced"   // book-keeping: what the tracker was told
)

// Event is one thing that happened to an incident. Which of the payload fields
// are set depends on Kind. Events are never changed or removed.
type Event struct {
	Seq     int64     `json:"seq"` // 1, 2, … within the incident
	Kind    EventKind `json:"kind"`
	At      time.Time `json:"at"`      // when it happened
	Written time.Time `json:"written"` // when we wrote it down
	By      Actor     `json:"by"`
	Because Reason    `json:"because,omitzero"`
	Text    string    `json:"text,omitempty"`   // a note, a name, a reason in somebody's own words; alerts: what those say that end
	Note    *Text     `json:"note,omitempty"`   // what a runbook says, in its author's words: noted, escalated, resolved
	Why     string    `json:"why,omitempty"`    // todo_dropped: in somebody's own words, beside the text that it is about
	Target  Actor     `json:"target,omitzero"`  // who was assigned
	Alerts  *News     `json:"alerts,omitempty"` // held, opened, alerts
	Opening *Opening  `json:"opening,omitempty"`

	Severity    Severity     `json:"severity,omitzero"`
	Chat        string       `json:"chat,omitempty"`
	Room        *Room        `json:"room,omitempty"`
	Findings    []Finding    `json:"findings,omitempty"`
	Clues       []Clue       `json:"clues,omitempty"` // diagnosed: what nobody asked for; consulted: what somebody did
	Suggestions []Suggestion `json:"suggestions,omitempty"`
	Moved       []RankMove   `json:"moved,omitempty"`
	Same        bool         `json:"same,omitempty"`      // ranked: the places are those of the list before, see samePlaces
	Action      string       `json:"action,omitempty"`    // voted, trust_…; useful: the item
	Value       int          `json:"value,omitempty"`     // voted: the thumb; diagnosed: 1 where it was done before, 2 where more is coming; ranked: 1 where the first may run by itself; todo…: which follow-up
	Was         int          `json:"was,omitempty"`       // useful: the same person's vote until now
	Objection   Objection    `json:"objection,omitempty"` // voted: what is wrong with it
	Own         bool         `json:"own,omitempty"`       // voted: the service is theirs
	Approval    *Approval    `json:"approval,omitempty"`  // requested
	ApprovalID  string       `json:"approval_id,omitempty"`
	RunID       string       `json:"run_id,omitempty"`
	Seal        string       `json:"seal,omitempty"` // agreed, approved: see Warrant
	Owner       string       `json:"owner,omitempty"`
	Before      []StepResult `json:"before,omitempty"`
	Steps       []StepResult `json:"steps,omitempty"`
	Said        *SaidMark    `json:"said,omitempty"`
	Effect      string       `json:"effect,omitempty"` // gave_up: the effect's key
	Tracker     string       `json:"tracker,omitempty"`
	Ticket      *Ticket      `json:"ticket,omitempty"` // ticket_*: as it is from here on
}

// News is what a report changed about an incident's alerts.
type News struct {
	Firing    int       `json:"firing,omitempty"`  // alerts that began to fire
	Back      int       `json:"back,omitempty"`    // of the firing, those that had fired before
	Reopens   bool      `json:"reopens,omitempty"` // they began after the resolution, which is over with it
	Cleared   int       `json:"cleared,omitempty"` // alerts that ended
	Expired   int       `json:"expired,omitempty"` // of the cleared, those that were simply not repeated
	New       AlertList `json:"new,omitempty"`     // whole, the first MaxDetailed of the incident
	Untracked int       `json:"untracked,omitempty"`
	Truncated int       `json:"truncated,omitempty"`
	Severity  Severity  `json:"severity,omitzero"` // the worst among the firing ones
	Tracks    []byte    `json:"tracks,omitempty"`  // what changed, in AlertSet's binary form
}

// MaxDetailed is how many alerts of one incident its log keeps whole. Later
// ones are followed and counted, and stay whole in the intake log.
const MaxDetailed = 200

// Opening is how an incident begins.
type Opening struct {
	ID          ID        `json:"id"`
	Shard       int       `json:"shard"`
	Title       string    `json:"title"`
	Description string    `json:"description,omitempty"`
	Service     string    `json:"service,omitempty"`
	Customer    string    `json:"customer,omitempty"`
	Source      string    `json:"source,omitempty"`
	Group       Key       `json:"group,omitzero"`
	Rule        RuleRef   `json:"rule,omitzero"`
	HeldUntil   time.Time `json:"held_until,omitzero"`
	Declared    bool      `json:"declared,omitempty"`
	Maintenance string    `json:"maintenance,omitempty"` // held for it
}

// Visible says whether the event belongs in the timeline that people read.
func (e *Event) Visible() bool {
	switch e.Kind {
	case EventRoomSynced, EventTicketSynced, EventSeen, EventLooked, EventHeld, EventDiscarded, EventSaid, EventUseful:
		return false
	case EventDiagnosed:
		return e.Value != partly
	}
	return true
}
