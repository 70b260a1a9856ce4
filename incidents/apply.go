package incidents

import (
	"fmt"
	"slices"
	"time"
)

// Apply makes e true of s. It never refuses: what may happen was decided when
// the event was written. Applying an incident's log from the start gives its
// state.
func Apply(s *Incident, e *Event) {
	s.Version = e.Seq
	s.UpdatedAt = e.Written
	if e.Opening != nil {
		s.open(e)
	}
	switch e.Kind {
	case EventHeld, EventAlerts, EventSeen:
		s.applyNews(e)
	case EventOpened:
		s.Released = true
		s.applyNews(e)
	case EventDiscarded:
		s.Discarded = true
	case EventSeverity:
		if set := (&Setting{Severity: e.Severity, Mark: mark(e)}); set.after(s.SetSeverity) {
			s.SetSeverity = set
		}
	case EventAcked:
		s.Acks = addMark(s.Acks, mark(e))
	case EventLead:
		s.Commander = &Mark{At: e.At, By: e.Target}
	case EventAssigned:
		s.Responders = addMark(s.Responders, Mark{At: e.At, By: e.Target})
	case EventNoted:
		s.Notes++
		s.heardByHand(e)
	case EventTodo, EventTodoDone, EventTodoOpen, EventTodoDropped:
		s.todo(e)
	case EventSaid, EventPinned:
		s.say(e)
		s.heardByHand(e)
	case EventReminded:
		s.RemindedAt = later(s.RemindedAt, e.At)
	case EventRoomOpened, EventRoomSynced, EventRoomWanted:
		s.applyRoom(e)
	case EventTicketOpened, EventTicketLinked, EventTicketUnlinked, EventTicketAsked, EventTicketSynced:
		s.applyTicket(e)
	case EventDiagnosed:
		s.diagnosed(e)
	case EventConsulted: // the log has it
	case EventUseful:
		s.useful(e)
	case EventRanked:
		s.rank(e)
	case EventVoted:
		s.vote(e)
	case EventEscalated:
		s.Escalated = addMark(s.Escalated, mark(e))
	case EventResolved:
		s.Resolved = latest(s.Resolved, mark(e))
	case EventReopened:
		s.Reopened = latest(s.Reopened, mark(e))
	case EventClosed:
		s.Closed = latest(s.Closed, mark(e))
	case EventGaveUp:
		s.gaveUp(e)
	default:
		s.applyRemedy(e)
	}
}

func (s *Incident) applyRoom(e *Event) {
	if s.Rooms == nil {
		s.Rooms = map[string]Room{}
	}
	s.Rooms[e.Chat] = *e.Room
	s.recovered(DoSyncRoom, e.Chat)
	s.recovered(DoArchive, e.Chat)
}

func (s *Incident) rank(e *Event) {
	if replanned(s.Suggestions, e.Suggestions) {
		s.Replanned = e.At
	}
	s.RankedAt, s.Suggestions, s.NoAction, s.Moved = e.At, e.Suggestions, e.Because, e.Moved
	s.recovered(DoRank, "")
}

func (s *Incident) gaveUp(e *Event) {
	if s.Failed == nil {
		s.Failed = map[string]string{}
	}
	s.Failed[e.Effect] = e.Text
}

// recovered forgets that an effect was given up: it was asked for again, and
// worked.
func (s *Incident) recovered(kind EffectKind, arg string) {
	delete(s.Failed, s.effect(kind, "", arg, time.Time{}).Key)
}

// applyRemedy is Apply for approvals and runs, and for who trusts them.
func (s *Incident) applyRemedy(e *Event) {
	switch e.Kind {
	case EventRequested:
		s.Approvals = append(s.Approvals, *e.Approval)
		return
	case EventAgreed:
		a := s.asked(e)
		a.Given = append(slices.Clone(a.Given), mark(e))
		return
	case EventApproved:
		a := s.decided(e, ApprovalGiven)
		a.Given = append(slices.Clone(a.Given), mark(e))
		s.Runs = append(s.Runs, Run{ID: e.RunID, Approval: a.ID, Plan: a.Plan, State: RunApproved, ApprovedAt: e.At})
		return
	case EventDenied:
		s.decided(e, ApprovalDenied)
		return
	case EventExpired:
		s.decided(e, ApprovalExpired)
		return
	case EventWithdrawn:
		s.decided(e, ApprovalWithdrawn)
		return
	case EventProposed, EventAccepted, EventRevoked, EventDemoted, EventWithheld:
		s.trustWord(e)
		return
	}
	r := s.run(e.RunID)
	if r == nil {
		panic(fmt.Sprintf("incidents: event %d (%s) of %s is about no run", e.Seq, e.Kind, s.ID))
	}
	switch e.Kind {
	case EventRunStarted:
		r.State, r.Owner, r.StartedAt = RunRunning, e.Owner, e.At
	case EventRunFinished:
		r.State, r.Before, r.Steps, r.EndedAt = RunVerifying, e.Before, e.Steps, e.At
		r.Deadline = e.At.Add(r.Plan.Verify.Within)
		r.DoneAt, r.Because = time.Time{}, Reason{} // it may have been given up as unknown
	case EventRunFailed:
		r.State, r.Before, r.Steps, r.EndedAt, r.DoneAt, r.Because = RunFailed, e.Before, e.Steps, e.At, e.At, e.Because
	case EventRunUnknown:
		r.State, r.DoneAt, r.Because = RunUnknown, e.At, e.Because
		if e.Steps != nil { // its owner tells how far it got
			r.Before, r.Steps, r.EndedAt = e.Before, e.Steps, e.At
		}
	case EventLooked:
		r.After, r.Looks = e.Steps, r.Looks+1
		switch {
		case !AllOK(e.Steps):
			r.WellSince = time.Time{}
		case r.WellSince.IsZero():
			r.WellSince = e.At
		}
	case EventVerified:
		r.State, r.DoneAt, r.Because = RunVerified, e.At, e.Because
	case EventNotVerified:
		r.State, r.DoneAt, r.Because = RunNotVerified, e.At, e.Because
	default:
		panic(fmt.Sprintf("incidents: event %d of %s has unknown kind %q", e.Seq, s.ID, e.Kind))
	}
}

func (s *Incident) open(e *Event) {
	o := e.Opening
	s.ID, s.Shard, s.Group, s.Rule = o.ID, o.Shard, o.Group, o.Rule
	s.Title, s.Description, s.Service, s.Customer, s.Source = o.Title, o.Description, o.Service, o.Customer, o.Source
	s.Because, s.HeldUntil, s.Expected = e.Because, o.HeldUntil, o.Maintenance
	s.OpenedAt, s.CreatedAt = e.At, e.Written
	if o.Declared {
		s.Declared = ref(mark(e))
		s.SetSeverity = &Setting{Severity: e.Severity, Mark: mark(e)}
	}
}

func (s *Incident) applyNews(e *Event) {
	n := e.Alerts
	if n == nil {
		return
	}
	entries, err := decodeTracks(n.Tracks)
	if err != nil {
		panic(fmt.Sprintf("incidents: event %d of %s: %v", e.Seq, s.ID, err))
	}
	first := s.Alerts.Len() == 0
	for _, t := range entries {
		old, _ := s.Alerts.Get(t.fp)
		s.Alerts.set(t.fp, old.join(t.track))
	}
	for i := range n.New {
		if len(s.Samples) < MaxSamples {
			s.Samples = append(s.Samples, n.New[i].own())
		}
		if !n.New[i].Resolved && n.New[i].StartsAt.Before(s.OpenedAt) {
			s.OpenedAt = n.New[i].StartsAt
		}
		if first && i == 0 {
			s.Common = slices.Clone(s.Samples[0].Labels)
		} else {
			s.Common = common(s.Common, n.New[i].Labels)
		}
	}
	if n.Severity.WorseThan(s.AlertSeverity) {
		s.AlertSeverity = n.Severity
	}
	s.Untracked += n.Untracked
	s.Truncated += n.Truncated
	if s.Cleared() {
		s.ClearedHeard = later(s.ClearedHeard, e.Written)
	}
}

// common keeps the labels that both have with the same value.
func common(a, b Labels) Labels {
	if !slices.ContainsFunc(a, func(l Label) bool { return !slices.Contains(b, l) }) {
		return a // as nearly always
	}
	return slices.DeleteFunc(slices.Clone(a), func(l Label) bool {
		return !slices.Contains(b, l)
	})
}

func (s *Incident) vote(e *Event) {
	s.object(e)
	if s.Votes == nil {
		s.Votes = map[string]map[string]int{}
	}
	if s.Votes[e.Action] == nil {
		s.Votes[e.Action] = map[string]int{}
	}
	if e.Value == 0 {
		delete(s.Votes[e.Action], e.By.ID)
		return
	}
	s.Votes[e.Action][e.By.ID] = e.Value
}

// asked is the request that an event is about.
func (s *Incident) asked(e *Event) *Approval {
	a := s.approval(e.ApprovalID)
	if a == nil {
		panic(fmt.Sprintf("incidents: event %d (%s) of %s is about no approval", e.Seq, e.Kind, s.ID))
	}
	return a
}

func (s *Incident) decided(e *Event, state ApprovalState) *Approval {
	a := s.asked(e)
	a.State, a.Decided = state, ref(mark(e))
	return a
}

func mark(e *Event) Mark { return Mark{At: e.At, By: e.By, Because: e.Because, Seal: e.Seal} }

// latest joins a word into its register.
func latest(old *Mark, m Mark) *Mark {
	if m.after(old) {
		return &m
	}
	return old
}

func ref[T any](v T) *T { return &v }

// addMark keeps marks in the order in which they happened, the latest MaxMarks
// of them and always the first.
func addMark(marks []Mark, m Mark) []Mark {
	i, _ := slices.BinarySearchFunc(marks, m, func(a, b Mark) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return compare(a.By.ID, b.By.ID)
	})
	marks = slices.Insert(marks, i, m)
	if len(marks) > MaxMarks {
		marks = slices.Delete(marks, 1, 2)
	}
	return marks
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
