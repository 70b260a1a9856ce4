package worker

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
)

// syncTicket brings a ticket up to date and commits what it is then, also the
// part of it that stands when the rest failed: the next try goes on from there.
func (w *Worker) syncTicket(ctx context.Context, c *incidents.Claim, h *shelved) error {
	s, tracker := h.Incident, c.Effect.Arg
	port, ok := w.ports.Tickets[tracker]
	if !ok { // it was taken out of the configuration
		return incidents.Fail(incidents.NotFound, "error.no_tracker", "tracker "+tracker+" is not configured", "tracker", tracker)
	}
	old := s.Tickets[tracker]
	if old.Off {
		return w.ack(ctx, c)
	}
	events, known := h.after(old.LastSeq)
	var ticket incidents.Ticket
	var err error
	if known {
		ticket, err = port.Sync(ctx, s, events)
	} else {
		ticket, err = tellTicket(ctx, w.store, port, s, tracker)
	}
	failpoint.Hit("worker.ticket.synced")
	if err != nil {
		if !sameTicket(old, ticket) {
			err = w.notePart(ctx, s.ID, incidents.TicketSynced{Tracker: tracker, Ticket: ticket}, err)
		}
		return err
	}
	if sameTicket(old, ticket) && !ticket.PeaceUntil().After(w.now()) { // within it, the event asks for the look after it
		w.engine.shelf.put(h)
		return w.ack(ctx, c)
	}
	return w.finishFrom(ctx, h, c, incidents.TicketSynced{Tracker: tracker, Ticket: ticket})
}

// journal is where the events of incidents are read.
type journal interface {
	Events(ctx context.Context, id incidents.ID, after int64, most int) ([]incidents.Event, error)
}

// tellTicket tells a ticket all that it was not told yet, a page of events at a time:
// while a tracker is away people may write more than one page. It ends early where the
// tracker refuses, or has not taken in what it was told.
func tellTicket(ctx context.Context, log journal, port Tickets, s *incidents.Incident, tracker string) (incidents.Ticket, error) {
	sofar := *s // as it is after each page; what is committed is decided on s
	for {
		told := sofar.Tickets[tracker]
		events, err := log.Events(ctx, s.ID, told.LastSeq, syncEvents)
		if err != nil {
			return told, fmt.Errorf("read the events of %s: %w", s.ID, err)
		}
		ticket, err := port.Sync(ctx, &sofar, events)
		if err != nil || len(events) < syncEvents || ticket.LastSeq < events[len(events)-1].Seq {
			return ticket, err
		}
		sofar.Tickets = maps.Clone(sofar.Tickets)
		if sofar.Tickets == nil {
			sofar.Tickets = map[string]incidents.Ticket{}
		}
		sofar.Tickets[tracker] = ticket
	}
}

func sameTicket(a, b incidents.Ticket) bool {
	return a.Key == b.Key && a.URL == b.URL && a.Status == b.Status && a.Hash == b.Hash && a.LastSeq == b.LastSeq && a.Attached.Equal(b.Attached) && slices.Equal(a.Tasks, b.Tasks) &&
		a.Problem.Phrase == b.Problem.Phrase && maps.Equal(a.Problem.Args, b.Problem.Args) && maps.Equal(a.There, b.There)
}
