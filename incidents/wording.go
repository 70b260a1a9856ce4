package incidents

import (
	"strconv"
	"strings"
	"time"
)

// words chooses the variant of an event's sentence and fills its places; ""
// is the plain sentence "timeline.<kind>". Titles of actions come from line.
func (n *narrator) words(e *Event) (variant string, args []string) {
	by := []string{"by", e.By.Name}
	switch e.Kind {
	case EventOpened:
		if e.Opening != nil && e.Opening.Declared {
			return "declared", by
		}
		return "", []string{"source", e.By.Name}
	case EventAlerts:
		return alertWords(e.Alerts)
	case EventSeverity:
		return "", append(by, "severity", e.Severity.String())
	case EventLead, EventAssigned:
		if e.By.ID == e.Target.ID {
			return "self", by
		}
		return "", append(by, "who", e.Target.Name)
	case EventTicketOpened, EventTicketLinked, EventTicketUnlinked, EventTicketAsked:
		return "", []string{"by", e.By.Name, "tracker", e.Tracker, "ticket", e.Ticket.Key}
	case EventRoomOpened:
		room := ""
		if e.Room != nil {
			room = e.Room.Name
		}
		return "", []string{"chat", e.Chat, "room", room}
	case EventRoomWanted:
		return "", append(by, "chat", e.Chat)
	case EventPinned:
		if e.Said.Deleted {
			variant = "deleted"
		}
		return variant, append(by, "who", e.Target.Name)
	case EventDiagnosed:
		return diagnosedWords(e)
	case EventRanked:
		return rankWords(e)
	case EventVoted:
		variant = map[int]string{1: "up", 0: "back", -1: "down"}[e.Value]
		if e.Objection != "" {
			variant += "." + string(e.Objection)
		}
		return variant, by
	case EventResolved, EventReopened:
		if e.By.IsPerson() {
			return "person", by
		}
		return "", nil
	case EventTodo, EventTodoDone, EventTodoOpen, EventTodoDropped:
		return todoWords(e)
	case EventNoted, EventConsulted, EventUseful:
		if e.Note != nil {
			return "runbook", nil
		}
		return "", by
	case EventGaveUp:
		return "", []string{"effect", e.Effect}
	default:
		return n.remedyWords(e)
	}
}

func todoWords(e *Event) (variant string, args []string) {
	args = []string{"by", e.By.Name, "n", strconv.Itoa(e.Value)}
	if e.Why != "" {
		return "why", append(args, "why", e.Why)
	}
	return "", args
}

// remedyWords is words for approvals and runs.
func (n *narrator) remedyWords(e *Event) (variant string, args []string) {
	switch e.Kind {
	case EventRequested:
		if a := e.Approval.Standing; a != nil {
			return "itself", standingWords(a)
		}
		return "", []string{"by", e.By.Name, "id", e.Approval.ID, "plan", short(e.Approval.Plan.Digest)}
	case EventApproved:
		args = []string{"by", e.By.Name, "id", e.ApprovalID, "run", e.RunID}
		if p := n.planOf(e); p != nil {
			args = append(args, "plan", short(p.Digest))
		}
		if a := n.s.approval(e.ApprovalID); a != nil && a.Standing != nil {
			return "itself", append(args, standingWords(a.Standing)...)
		}
		return "", args
	case EventAgreed, EventDenied, EventExpired, EventWithdrawn:
		return "", []string{"by", e.By.Name, "id", e.ApprovalID}
	case EventRunFinished:
		if e.By.IsPerson() {
			variant = "person"
		}
		return variant, []string{"by", e.By.Name, "run", e.RunID}
	case EventRunFailed:
		if e.By.IsPerson() {
			variant = "person"
			if VerdictOf(e) == Stopped {
				variant = "stopped"
			}
			return variant, []string{"by", e.By.Name, "run", e.RunID}
		}
		for i := range e.Steps {
			if step := &e.Steps[i]; !step.OK {
				return "step", []string{"run", e.RunID, "step", step.Step, "value", firstOf(step.Error, step.Value)}
			}
		}
		return "", []string{"run", e.RunID}
	default:
		return "", []string{"by", e.By.Name, "run", e.RunID}
	}
}

// standingWords say whose word lets it run by itself, and since when.
func standingWords(a *Acceptance) []string {
	return []string{"who", a.By.Name, "on", a.At.UTC().Format(time.DateOnly)}
}

func alertWords(news *News) (variant string, args []string) {
	if news == nil {
		return "", nil
	}
	firing, cleared := strconv.Itoa(news.Firing), strconv.Itoa(news.Cleared)
	back := news.Firing > 0 && news.Back == news.Firing
	switch {
	case news.Reopens && news.Firing == 0:
		return "reopened", nil
	case news.Reopens && back:
		return one("reopened.back", news.Firing), []string{"n", firing}
	case news.Reopens:
		return one("reopened.firing", news.Firing), []string{"n", firing}
	case back && news.Cleared == 0:
		return one("back", news.Firing), []string{"n", firing}
	case news.Firing > 0 && news.Cleared > 0:
		return "both", []string{"firing", firing, "cleared", cleared}
	case news.Firing > 0:
		return one("firing", news.Firing), []string{"n", firing}
	case news.Expired > 0:
		return one("lapsed", news.Cleared), []string{"n", cleared}
	case news.Cleared > 0:
		return one("cleared", news.Cleared), []string{"n", cleared}
	case news.Untracked > 0:
		return one("untracked", news.Untracked), []string{"n", strconv.Itoa(news.Untracked)}
	case news.Truncated > 0:
		return one("truncated", news.Truncated), []string{"n", strconv.Itoa(news.Truncated)}
	}
	return "", nil
}

func findingWords(findings []Finding) (variant string, args []string) {
	bad, unknown := 0, 0
	for i := range findings {
		switch {
		case findings[i].Error != "":
			unknown++
		case !findings[i].OK:
			bad++
		}
	}
	args = []string{"n", strconv.Itoa(len(findings)), "bad", strconv.Itoa(bad), "unknown", strconv.Itoa(unknown)}
	switch {
	case len(findings) == 0:
		return "none", nil
	case unknown > 0:
		return "unknown", args
	case bad == 0:
		return "clean", args
	}
	return "", args
}

func rankWords(e *Event) (variant string, args []string) {
	if len(e.Suggestions) == 0 {
		return "none", nil
	}
	if len(e.Moved) == 0 {
		return "", []string{"n", strconv.Itoa(len(e.Suggestions))}
	}
	m := mover(e.Moved)
	before, after := strconv.Itoa(m.Before), strconv.Itoa(m.After)
	switch {
	case m.Before == 0:
		return "joined", []string{"after", after}
	case m.After == 0:
		return "left", []string{"before", before}
	}
	return "moved", []string{"before", before, "after", after}
}

// one is the singular's variant, for languages that have one.
func one(variant string, n int) string {
	if n == 1 {
		return variant + ".one"
	}
	return variant
}

// short is enough of a digest for people to compare.
func short(digest string) string {
	return digest[:min(len(digest), 12)]
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func diagnosedWords(e *Event) (variant string, args []string) {
	variant, args = findingWords(e.Findings)
	if n := len(e.Clues); variant == "none" && n > 0 { // no check fitted, and yet something was found
		return one("told", n), []string{"n", strconv.Itoa(n)}
	}
	if e.Value == again && len(e.Findings) > 0 {
		variant = strings.TrimPrefix(variant+".again", ".")
	}
	return variant, args
}
