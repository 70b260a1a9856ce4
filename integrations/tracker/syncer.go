package tracker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Directory remembers which incident a ticket belongs to.
type Directory interface {
	Put(ctx context.Context, key string, id incidents.ID) error
}

// Syncer keeps the tickets of one tracker as bot.TicketOf says they should be.
// It is the port that a worker brings tickets up to date through.
type Syncer struct {
	Name      string // of the tracker in the configuration: "jira"
	Tracker   Tracker
	Directory Directory
	Lang      string
	Languages map[string]string   // of customers who have one of their own
	Clean     func(string) string // strikes secrets out of all that leaves; nil: there are none
	Links     bot.Links
	Log       Log // what postmortems are written from; nil: tickets get none
	Now       func() time.Time
}

// newToken is how often it is tried whether there is a token again that the tracker
// takes: rarely enough not to be locked out.
const newToken = 10 * time.Minute

// Sync opens the ticket if need be, makes its fields say what they should and
// writes the comments that are missing. It returns the ticket as it stands,
// also with an error: the part that was done is not done again. What the
// tracker refuses for good is the ticket's Problem, and no error. A token that it
// does not take is both: a new one may come when nothing happens any more in the
// incident, and the ticket is to be told its end.
func (y *Syncer) Sync(ctx context.Context, s *incidents.Incident, events []incidents.Event) (incidents.Ticket, error) {
	t := s.Tickets[y.Name]
	for len(events) > 0 && events[0].Seq <= t.LastSeq {
		events = events[1:]
	}
	told := t.LastSeq
	if len(events) > 0 {
		told = events[len(events)-1].Seq
	}
	t.Problem = incidents.Reason{}
	no, err := y.tell(ctx, &t, s, y.want(s, events), told)
	switch {
	case incidents.CodeOf(err) == incidents.Unauthenticated:
		t.Problem = problem(err)
		return t, &incidents.Later{After: newToken, Alone: true, Err: fmt.Errorf("bring the ticket of %s in %s up to date: %w", s.ID, y.Name, err)}
	case err != nil:
		t.Problem = s.Tickets[y.Name].Problem // not known to be over
		return t, fmt.Errorf("bring the ticket of %s in %s up to date: %w", s.ID, y.Name, err)
	case no != nil:
		t.Problem = problem(no)
	}
	return t, nil
}

// tell does one thing after the other. What is refused (no) is no reason not to
// do the others, but for the ticket itself. want is about events up to the one
// numbered last.
func (y *Syncer) tell(ctx context.Context, t *incidents.Ticket, s *incidents.Incident, want bot.Ticket, last int64) (no, err error) {
	if err := y.open(ctx, t, want); err != nil {
		if refused(err) {
			return err, nil
		}
		return nil, err
	}
	for _, step := range []func() error{
		func() error { return y.fields(ctx, t, s, want) },
		func() error { return y.comments(ctx, t, s, want.Comments, last) },
		func() error { return y.tasks(ctx, t, s) },
		func() error { return y.postmortem(ctx, t, s) },
	} {
		err := step()
		if err != nil && !refused(err) {
			return nil, err
		}
		if no == nil {
			no = err
		}
	}
	return no, nil
}

// lang is what the incident's ticket is written in.
func (y *Syncer) lang(s *incidents.Incident) string { return cmp.Or(y.Languages[s.Customer], y.Lang) }

// want is what the ticket should say, without what nobody outside may read.
func (y *Syncer) want(s *incidents.Incident, events []incidents.Event) bot.Ticket {
	want := bot.TicketOf(s, events, y.Name, y.lang(s), y.Now(), y.Links)
	if y.Clean != nil {
		want.Redact(y.Clean)
	}
	return want
}

func (y *Syncer) open(ctx context.Context, t *incidents.Ticket, want bot.Ticket) error {
	if t.Key != "" {
		return y.belongs(ctx, t, want)
	}
	ref, err := y.Tracker.Open(ctx, want)
	if err != nil {
		return err
	}
	t.Key, t.URL, t.Status, t.OpenedAt = ref.Key, ref.URL, ref.Status, y.Now()
	t.Hash = told{}.with(want, Text, y.Now()).with(want, Priority, y.Now()).String() // the rest is told by fields
	return y.belongs(ctx, t, want)
}

// belongs notes whose ticket it is, so that what changes there finds its way
// back. A ticket that is another incident's is not ours to change.
func (y *Syncer) belongs(ctx context.Context, t *incidents.Ticket, want bot.Ticket) error {
	if err := y.Directory.Put(ctx, t.Key, want.Incident); err != nil {
		return fmt.Errorf("note whose ticket %s is: %w", t.Key, err)
	}
	return nil
}

// fields tells what differs from what the tracker was told.
func (y *Syncer) fields(ctx context.Context, t *incidents.Ticket, s *incidents.Incident, want bot.Ticket) error {
	before, now := parseTold(t.Hash), y.Now()
	after := before
	var due []Field
	for _, f := range Fields {
		next := after.with(want, f, now)
		if before[f].hash == next[f].hash && !t.There[string(f)].After(before[f].at) {
			continue
		}
		if t.Linked && f == Text {
			after = next // the words of a ticket that a person wrote stay theirs
			continue
		}
		if !y.mayTell(s, t, f) {
			continue // told when their time is over
		}
		due, after = append(due, f), next
	}
	if len(due) > 0 {
		ref, err := y.Tracker.Update(ctx, t.Key, want, due)
		if err != nil {
			return err
		}
		t.Status = ref.Status
		if ref.URL != "" {
			t.URL = ref.URL
		}
		if ref.Key != "" && ref.Key != t.Key { // it was moved, or was the younger of two
			t.Key = ref.Key
			if err := y.belongs(ctx, t, want); err != nil {
				return err
			}
		}
	}
	t.Hash = after.String()
	return nil
}

// refused says that asking again will not help.
func refused(err error) bool {
	if err == nil {
		return false
	}
	switch incidents.CodeOf(err) {
	case incidents.Invalid, incidents.Forbidden, incidents.NotFound, incidents.TooLarge, incidents.Conflict:
		return true
	}
	return false
}

func problem(err error) incidents.Reason {
	e, _ := errors.AsType[*incidents.Error](err) // its code says that it is one
	return incidents.Reason{Phrase: e.Phrase, Args: e.Args}
}
