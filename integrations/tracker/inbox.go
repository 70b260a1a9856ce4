package tracker

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Change is what somebody changed in a ticket, as a webhook or a look at the
// tracker tells it. What is zero did not change.
type Change struct {
	Key string          // of the ticket
	ID  string          // lasting name of this change: heard twice, it works once
	By  incidents.Actor // "jira:557058:f58131cb"; the bot's own changes are left out by the adapter
	At  time.Time

	State      bot.TicketState
	StatusWord string // the tracker's own word for it
	Severity   incidents.Severity
	Assignee   string // the name of the one who has it now
	Comment    *Comment
}

// Comment is what somebody wrote below a ticket.
type Comment struct {
	ID      string
	Text    string
	Edited  bool
	Deleted bool
}

// Owner finds the incident that a ticket belongs to.
type Owner interface {
	Incident(ctx context.Context, key string) (incidents.ID, bool, error)
}

// Mover moves incidents.
type Mover interface {
	Do(ctx context.Context, id incidents.ID, once string, cmd incidents.Command) (*incidents.Incident, error)
	Load(ctx context.Context, id incidents.ID) (*incidents.Incident, error)
	// Happened says whether the command that once names was carried out lately.
	Happened(ctx context.Context, id incidents.ID, once string) (bool, error)
}

// Router decides whether the person may, and does it: bot.Router.
type Router interface {
	Handle(ctx context.Context, q bot.Request) (bot.Reply, error)
}

// Changer takes what changed in a ticket to its incident: an Inbox.
type Changer interface {
	Changed(ctx context.Context, c Change) error
}

// Inbox takes what changes in the tickets of one tracker to their incidents.
type Inbox struct {
	Name   string // of the tracker in the configuration
	Owner  Owner
	Mover  Mover
	Router Router
	Lang   string
}

// Changed carries a change into its incident. A ticket that is no incident's is
// no error. Each part goes the way of a typed command, so the same rights hold;
// a refusal is told in the error, and the others are still carried out.
func (in *Inbox) Changed(ctx context.Context, c Change) error {
	id, ours, err := in.Owner.Incident(ctx, c.Key)
	if err != nil || !ours {
		return err
	}
	s, err := in.Mover.Load(ctx, id)
	if err != nil {
		return fmt.Errorf("load the incident of %s: %w", c.Key, err)
	}
	switch t := s.Tickets[in.Name]; {
	case t.Off: // parted: neither follows the other
		return nil
	case t.Key != c.Key:
		return in.ticked(ctx, s, c)
	}
	var first error
	for _, w := range in.wishes(s, c) {
		if in.stale(s, w.field, c.At) {
			// somebody spoke later, and this was only heard late; or it was this very change
			err = in.carried(ctx, id, c, w.field)
		} else {
			err = in.carry(ctx, id, c, w)
		}
		if err != nil && first == nil {
			first = err
		}
	}
	return first
}

// stale says that a later word of a person on the same field was heard already.
func (in *Inbox) stale(s *incidents.Incident, f Field, at time.Time) bool {
	if f == "" {
		return false
	}
	if at.Before(s.Tickets[in.Name].There[string(f)]) {
		return true
	}
	here, human := lastWord(s, f, in.Name)
	return human && here.After(at)
}

// heard is, among the times when a field was touched there, when it changed
// here because of that: whose word a mark is, its person does not say, because
// one person has accounts in both places.
func heard(f Field) string { return string(f) + "/here" }

// wish is one part of a change: the field that a person touched, and the line
// that says it to the router ("" where our side says so already).
type wish struct {
	field Field
	line  string
}

func (in *Inbox) wishes(s *incidents.Incident, c Change) []wish {
	var all []wish
	if c.State != "" {
		all = append(all, wish{Status, stateLine(s, c.State)})
	}
	if c.Severity != incidents.SevUnknown {
		w := wish{field: Priority}
		if s.Severity() != c.Severity {
			w.line = "severity " + c.Severity.String()
		}
		all = append(all, w)
	}
	if name := strings.ReplaceAll(bot.Line(c.Assignee, 80), `"`, ""); name != "" {
		w := wish{field: Assignee}
		if s.Commander == nil || !strings.EqualFold(s.Commander.By.Name, name) {
			w.line = `lead "` + name + `"`
		}
		all = append(all, w)
	}
	if c.Comment != nil {
		all = append(all, wish{})
	}
	return all
}

// stateLine is what to type for the incident to be in that state.
func stateLine(s *incidents.Incident, state bot.TicketState) string {
	open := s.Status().Open()
	switch {
	case state == bot.TicketDone && open:
		return "resolve"
	case state != bot.TicketDone && !open:
		return "reopen"
	case state == bot.TicketDoing && s.AckedBy() == nil:
		return "ack"
	}
	return ""
}

// once names one part of a change.
func (in *Inbox) once(c Change, f Field) string { return in.Name + "/" + c.ID + "/" + string(f) }

func (in *Inbox) carry(ctx context.Context, id incidents.ID, c Change, w wish) error {
	once := in.once(c, w.field)
	if w.field == "" {
		said := incidents.Said{
			Chat: in.Name, MessageID: c.Key + "/" + c.Comment.ID, By: c.By, Text: c.Comment.Text, At: c.At,
			Edited: c.Comment.Edited, Deleted: c.Comment.Deleted,
		}
		if _, err := in.Mover.Do(ctx, id, once, said); err != nil {
			return fmt.Errorf("show the comment on %s: %w", c.Key, err)
		}
		return nil
	}
	touched := incidents.TicketTouched{Tracker: in.Name, Field: string(w.field), At: c.At}
	if w.field == Status {
		touched.Status = c.StatusWord
	}
	if _, err := in.Mover.Do(ctx, id, once+"/there", touched); err != nil {
		return fmt.Errorf("note the change of %s: %w", c.Key, err)
	}
	if w.line == "" {
		return in.carried(ctx, id, c, w.field)
	}
	q := bot.Request{Person: c.By, Chat: in.Name, Incident: id, Line: w.line, Lang: in.Lang, Once: once}
	if _, err := in.Router.Handle(ctx, q); err != nil {
		return fmt.Errorf("carry the change of %s into %s: %w", c.Key, id, err)
	}
	return in.hear(ctx, id, c, w.field)
}

// carried ends what a change that is told again may have left undone: where its
// command went through the first time, its mark is not a person's word against it.
func (in *Inbox) carried(ctx context.Context, id incidents.ID, c Change, f Field) error {
	did, err := in.Mover.Happened(ctx, id, in.once(c, f))
	if err != nil {
		return fmt.Errorf("look whether the change of %s was carried out: %w", c.Key, err)
	}
	if !did {
		return nil
	}
	return in.hear(ctx, id, c, f)
}

// hear notes that the latest mark on our side is the change's own.
func (in *Inbox) hear(ctx context.Context, id incidents.ID, c Change, f Field) error {
	s, err := in.Mover.Load(ctx, id)
	if err != nil {
		return fmt.Errorf("note the change of %s: %w", c.Key, err)
	}
	m := lastMark(s, f)
	if m == nil {
		return nil
	}
	heard := incidents.TicketTouched{Tracker: in.Name, Field: heard(f), At: m.At}
	if _, err = in.Mover.Do(ctx, id, in.once(c, f)+"/here", heard); err != nil {
		return fmt.Errorf("note the change of %s: %w", c.Key, err)
	}
	return nil
}
