package bot

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Ticket is what a tracker should say of an incident, for no tracker in
// particular. As in a Message every string is plain text, to be escaped and cut.
type Ticket struct {
	Incident incidents.ID
	Marker   string // a label by which the ticket is found again: "hikeshi-inc-42-1f3a9c0e"
	Summary  string // one line
	Body     []Message
	State    TicketState
	Severity incidents.Severity
	Assignee incidents.Actor // the commander; "" where there is none
	Service  string
	Comments []TicketComment // what is new, in order
}

// TicketState is how far an incident is, in the three steps that every
// tracker's workflow has.
type TicketState string

// The states.
const (
	TicketTodo  TicketState = "todo"  // nobody has acknowledged
	TicketDoing TicketState = "doing" // somebody has
	TicketDone  TicketState = "done"  // resolved
)

// TicketComment is one thing that happened, to be written below the ticket.
type TicketComment struct {
	Seq  int64
	Key  string // stable: "ev-12"
	At   time.Time
	By   string // a person's name; "" is Hikeshi
	Text string
}

// TicketOf is the ticket of s. events are those after what the tracker was
// told. Comments leave out what the tracker itself told us: by are accounts
// that begin with its name ("jira:").
func TicketOf(s *incidents.Incident, events []incidents.Event, tracker, lang string, now time.Time, links Links) Ticket {
	alone := *s
	alone.Tickets = nil // a ticket need not say where it is
	v := view{s: &alone, lang: lang, now: now, links: links}
	card := v.card()
	card.Buttons, card.Pinned = nil, false
	card.Fields = slices.DeleteFunc(card.Fields, func(f Field) bool { return f.Name == v.t("card.next") })
	if u := links.Postmortem(s.ID); u != "" && ticketState(s) == TicketDone {
		card.Links = slices.Insert(card.Links, min(1, len(card.Links)), Link{Label: v.t("link.postmortem"), URL: u})
	}
	t := Ticket{
		Incident: s.ID, Marker: TicketMarker(s), Summary: "[" + s.ID.String() + "] " + Line(s.Title, incidents.MaxTitle),
		Body: []Message{card}, State: ticketState(s), Severity: s.Severity(), Service: s.Service,
	}
	if !s.DiagnosedAt.IsZero() {
		t.Body = append(t.Body, v.diagnostics())
	}
	if s.Commander != nil {
		t.Assignee = s.Commander.By
	}
	for _, l := range incidents.Timeline(s, events) {
		if !ticketLine(l.Kind) && !l.Reopens() || strings.HasPrefix(l.By.ID, tracker+":") {
			continue
		}
		c := TicketComment{Seq: l.Seq, Key: lineKey(l.Seq), At: l.At, Text: sentence(lang, &l)}
		if aside := v.aside(&l); aside != "" {
			c.Text += "\n" + aside
		}
		if l.By.IsPerson() {
			c.By = Who(l.By)
		}
		t.Comments = append(t.Comments, c)
	}
	return t
}

// TicketMarker is the same on every replica and after every crash, and another
// one for each ticket that a person asks for, and in another installation.
func TicketMarker(s *incidents.Incident) string {
	asked := 0
	for _, t := range s.Tickets {
		asked += t.Asked
	}
	sum := sha256.Sum256([]byte(fmt.Sprintf("%s %d %d %x", s.ID, s.CreatedAt.UnixNano(), asked, s.Group)))
	return "hikeshi-" + strings.ToLower(s.ID.String()) + "-" + hex.EncodeToString(sum[:6])
}

func ticketState(s *incidents.Incident) TicketState {
	switch {
	case !s.Status().Open():
		return TicketDone
	case s.AckedBy() != nil, s.Commander != nil:
		return TicketDoing
	default:
		return TicketTodo
	}
}

// WherePostmortem leads to the postmortem from a ticket that could not take it.
func WherePostmortem(lang string, id incidents.ID, links Links) string {
	where := links.Postmortem(id)
	if where == "" {
		where = "/inc " + strings.TrimPrefix(id.String(), "INC-") + " postmortem"
	}
	return phrases.T(lang, "ticket.postmortem", "where", where)
}

// CommentElsewhere stands in a ticket where the tracker refused a comment's words.
func CommentElsewhere(lang string, id incidents.ID, links Links) string {
	where := id.String()
	if u := links.Incident(id); u != "" {
		where += ": " + u
	}
	return phrases.T(lang, "ticket.comment_elsewhere", "where", where)
}

// ticketLine says what is worth a comment: what people did and decided, and
// what came of it. That alerts come and go is in the room.
func ticketLine(kind incidents.EventKind) bool {
	switch kind {
	case incidents.EventAcked, incidents.EventLead, incidents.EventNoted, incidents.EventPinned, incidents.EventSeverity,
		incidents.EventDiagnosed, incidents.EventApproved, incidents.EventRunFailed, incidents.EventRunUnknown,
		incidents.EventVerified, incidents.EventNotVerified, incidents.EventEscalated,
		incidents.EventResolved, incidents.EventClosed, incidents.EventTodoDropped:
		return true
	}
	return false
}
