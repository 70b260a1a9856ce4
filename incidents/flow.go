package incidents

import (
	"slices"
	"time"
)

// Policy is what the configuration wants of every incident: the argument that
// React needs beside the state.
type Policy struct {
	Chats        []string      // chats in which a room is opened: "console", "slack", …
	Customers    Customers     // whose alerts are whose
	Tickets      []TicketRoute // in which tracker an incident has its ticket: the first that fits
	RemindAck    time.Duration // remind when nobody acknowledged for this long; 0: never
	Look         time.Duration // default time between two looks of a verification
	Archives     []string      // the chats whose rooms are put away
	ArchiveAfter time.Duration // so long after the closing; 0: never
}

// reaction says what must be done after an event. s is the state after it.
type reaction func(s *Incident, e *Event, p Policy) []Effect

// flow is the whole life of an incident on one page: when this has happened,
// that is done. Everything Hikeshi does by itself stands here.
//
//	alerts ─▶ opened ─▶ room + card ─────────────────────────────┐
//	                 └▶ diagnosed ─▶ ranked ─▶ approved          │ every room is
//	                                              │              │ brought up to
//	           escalated ◀─ run failed / unknown ◀┤              │ date after each
//	               ▲                              ▼              │ visible event
//	               └────── not verified ◀─ looked … looked ─▶ verified ─▶ resolved ─▶ closed
//	                                                     ▲
//	             feedback: voted, verified, not verified ┴─▶ ranked again
//
//	trust: a run's end ─▶ proposed ─▶ accepted; from then on ranked ─▶ approved by itself, or withheld; a failure ─▶ demoted
var flow = map[EventKind][]reaction{
	EventHeld:        {armHold, armAlertExpiry},
	EventOpened:      {syncRooms, openTicket, diagnose, armAckReminder, armAlertExpiry, armQuiet},
	EventDiscarded:   {},
	EventAlerts:      {syncNews, armAckReminder, armAlertExpiry, armQuiet, mayEnd},
	EventSeen:        {armAckReminder, armAlertExpiry},
	EventSeverity:    {syncRooms, syncTicket},
	EventAcked:       {syncRooms, syncTicket},
	EventLead:        {syncRooms, syncTicket},
	EventAssigned:    {syncRooms},
	EventNoted:       {syncRooms, syncTicket},
	EventSaid:        {syncElsewhere},
	EventTodo:        {syncRooms, syncTicket},
	EventTodoDone:    {syncRooms, syncTicket},
	EventTodoOpen:    {syncRooms, syncTicket},
	EventTodoDropped: {syncRooms, syncTicket},
	EventPinned:      {syncTicket},
	EventReminded:    {syncRooms},
	EventRoomOpened:  {},
	EventRoomWanted:  {syncRooms},
	EventRoomSynced:  {},
	EventDiagnosed:   {syncRooms, syncTicket, rankWhole},
	EventConsulted:   {syncRooms},
	EventUseful:      {syncRooms},
	EventRanked:      {syncRooms, automate},
	EventVoted:       {syncRooms, rank},
	EventRequested:   {syncRooms, armApprovalExpiry},
	EventApproved:    {syncRooms, run},
	EventAgreed:      {syncRooms},
	EventDenied:      {syncRooms},
	EventExpired:     {syncRooms},
	EventWithdrawn:   {syncRooms},
	EventRunStarted:  {syncRooms},
	EventRunFinished: {syncRooms, syncTicket, look},
	EventRunFailed:   {syncRooms, syncTicket, judge, rank, armAckReminder, armQuiet},
	EventRunUnknown:  {syncRooms, syncTicket, judge, armAckReminder, armQuiet},
	EventLooked:      {syncRooms, lookAgain},
	EventVerified:    {syncRooms, syncTicket, judge, rank},
	EventNotVerified: {syncRooms, syncTicket, judge, rank, armAckReminder, armQuiet},
	EventEscalated:   {syncRooms, syncTicket},
	EventResolved:    {syncRooms, syncTicket, armClose, armAckReminder, armQuiet},
	EventReopened:    {syncRooms, syncTicket, diagnose, armAckReminder, armQuiet},
	EventClosed:      {syncRooms, syncTicket, archiveRooms},
	EventGaveUp:      {syncRooms},

	EventTicketOpened:   {syncRooms},
	EventTicketLinked:   {syncRooms, syncTicket},
	EventTicketUnlinked: {syncRooms},
	EventTicketAsked:    {syncRooms, openTicket},
	EventTicketSynced:   {syncRooms, endPeace},

	EventProposed: {syncRooms},
	EventAccepted: {syncRooms},
	EventRevoked:  {syncRooms},
	EventDemoted:  {syncRooms},
	EventWithheld: {syncRooms},
}

// React says what must be done about e, s being the state after it and before
// the status it had.
func React(before Status, s *Incident, e *Event, p Policy) []Effect {
	var effects []Effect
	if !s.Released { // nobody is told of a held incident
		if e.Kind == EventHeld || e.Kind == EventAlerts || e.Kind == EventSeen {
			effects = append(effects, armHold(s, e, p)...)
			effects = append(effects, armAlertExpiry(s, e, p)...)
		}
		return effects
	}
	for _, r := range flow[e.Kind] {
		effects = append(effects, r(s, e, p)...)
	}
	// An alert that began after the resolution reopens the incident without an
	// event of its own: the status says so.
	if e.Kind != EventReopened && (before == Resolved || before == Closed) && s.Status().Open() {
		for _, r := range flow[EventReopened] {
			effects = append(effects, r(s, e, p)...)
		}
	}
	return effects
}

func syncRooms(s *Incident, e *Event, p Policy) []Effect {
	effects := make([]Effect, 0, len(p.Chats))
	for _, chat := range s.chats(p, p.Chats) {
		effects = append(effects, s.effect(DoSyncRoom, chat, chat, e.Written))
	}
	return effects
}

// archiveRooms puts the rooms away some days later. A chat that has no such thing
// leaves them.
func archiveRooms(s *Incident, e *Event, p Policy) []Effect {
	if p.ArchiveAfter <= 0 {
		return nil
	}
	var effects []Effect
	for _, chat := range s.chats(p, p.Archives) {
		effects = append(effects, s.effect(DoArchive, chat, chat, e.Written.Add(p.ArchiveAfter)))
	}
	return effects
}

// syncElsewhere shows what is said in one room in the others. That there is more
// than they can show is shown once.
func syncElsewhere(s *Incident, e *Event, p Policy) []Effect {
	if e.Said.Key == "" && s.Unheard > 1 {
		return nil
	}
	return slices.DeleteFunc(syncRooms(s, e, p), func(f Effect) bool { return f.Arg == e.Chat })
}

// More of the same may wait to be shown: a storm of reports becomes an edit a
// second at first, then one each time the incident is twice as old, and at least
// every five seconds. Chats allow few edits a minute for all rooms
// together (Slack: chat.update is Tier 3, 50 a minute and workspace,
// https://docs.slack.dev/apis/web-api/rate-limits).
const (
	leastNewsPace = time.Second
	mostNewsPace  = 5 * time.Second
)

func newsPace(age time.Duration) time.Duration {
	return min(max(age, leastNewsPace), mostNewsPace)
}

// syncNews shows at once that the first alert fires or the last one cleared,
// and how many there are a little later.
func syncNews(s *Incident, e *Event, p Policy) []Effect {
	effects := syncRooms(s, e, p)
	if s.Cleared() || e.Alerts != nil && s.Alerts.Firing() <= e.Alerts.Firing {
		return effects
	}
	for i := range effects {
		effects[i].Due = e.Written.Add(newsPace(e.Written.Sub(s.CreatedAt)))
	}
	return effects
}

// cardsFirst is how long the first investigation waits: in a storm all rooms have
// their cards before any checks run, and nobody reads faster.
const cardsFirst = 150 * time.Millisecond

func diagnose(s *Incident, e *Event, _ Policy) []Effect {
	return []Effect{s.effect(DoDiagnose, LaneDiagnose, "", e.Written.Add(cardsFirst))}
}

func rank(s *Incident, e *Event, _ Policy) []Effect {
	return []Effect{s.effect(DoRank, LaneRank, "", e.Written)}
}

// rankWhole ranks once the investigation is complete: half of it could send
// people, or what is trusted, the wrong way.
func rankWhole(s *Incident, e *Event, p Policy) []Effect {
	if e.Value == partly {
		return nil
	}
	return rank(s, e, p)
}

// automate asks whether the first suggestion runs by itself, where it may have been
// trusted with that when the list was made.
func automate(s *Incident, e *Event, _ Policy) []Effect {
	if e.Value != trusted || s.Automatable() == nil {
		return nil
	}
	return []Effect{s.effect(DoAutomate, LaneRank, "", e.Written)}
}

// judge counts what became of a run towards how far its runbook is trusted.
func judge(s *Incident, e *Event, _ Policy) []Effect {
	return []Effect{s.effect(DoJudge, LaneRank, e.RunID, e.Written)}
}

func run(s *Incident, e *Event, _ Policy) []Effect {
	return []Effect{s.effect(DoRun, LaneRun, e.RunID, e.Written)}
}

func look(s *Incident, e *Event, _ Policy) []Effect {
	return []Effect{s.effect(DoLook, LaneDiagnose, e.RunID, e.Written)}
}

func lookAgain(s *Incident, e *Event, p Policy) []Effect {
	r := s.run(e.RunID)
	if r == nil || r.State != RunVerifying {
		return nil
	}
	every := r.Plan.Verify.Every
	if every <= 0 {
		every = max(p.Look, time.Second)
	}
	return []Effect{s.effect(DoLook, LaneDiagnose, e.RunID, e.Written.Add(every))}
}

// The timers: when each is due stands in timer.go, derived from the state.

func armHold(s *Incident, e *Event, p Policy) []Effect        { return s.arm(TimerHold, "", p) }
func armAckReminder(s *Incident, e *Event, p Policy) []Effect { return s.arm(TimerAck, "", p) }
func armAlertExpiry(s *Incident, e *Event, p Policy) []Effect { return s.arm(TimerAlerts, "", p) }
func armQuiet(s *Incident, e *Event, p Policy) []Effect       { return s.arm(TimerQuiet, "", p) }
func armClose(s *Incident, e *Event, p Policy) []Effect       { return s.arm(TimerClose, "", p) }

func armApprovalExpiry(s *Incident, e *Event, p Policy) []Effect {
	return s.arm(TimerExpiry, e.Approval.ID, p)
}

// Ask is the effect that a person wants once more: the investigation, the
// ranking, or the rooms.
func Ask(s *Incident, kind EffectKind, now time.Time, p Policy) []Effect {
	e := &Event{Written: now}
	switch kind {
	case DoDiagnose:
		return diagnose(s, e, p)
	case DoRank:
		return rank(s, e, p)
	case DoSyncRoom:
		return syncRooms(s, e, p)
	case DoSyncTicket:
		return openTicket(s, e, p)
	}
	return nil
}
