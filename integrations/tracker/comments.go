package tracker

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// echo says that the comment would tell the tracker what it told us.
func echo(t *incidents.Ticket, c bot.TicketComment) bool {
	return slices.ContainsFunc(Fields, func(f Field) bool { return t.There[heard(f)].Equal(c.At) })
}

// lastCall is how much time one more comment needs at a slow tracker. Who begins
// with less is cut off in its middle, and it is not known whether it was written.
const lastCall = 8 * time.Second

// comments writes what is missing about the events up to the one numbered last.
// Where time runs out after at least one comment, it goes on at the next try: what
// was written is noted until then. One whose words are refused keeps no other from
// being written; it is told in the error.
func (y *Syncer) comments(ctx context.Context, t *incidents.Ticket, s *incidents.Incident, all []bot.TicketComment, last int64) error {
	until, limited := ctx.Deadline()
	var refusal error
	wrote := false
	for i, c := range all {
		if !echo(t, c) {
			if wrote && limited && time.Until(until) < lastCall {
				return &incidents.Later{After: time.Second, Alone: true, Err: fmt.Errorf("%d more comments are to be written", len(all)-i)}
			}
			left, err := y.comment(ctx, t.Key, s, c)
			if err != nil {
				return err
			}
			if refusal == nil {
				refusal = left
			}
			wrote = true
		}
		t.LastSeq = max(t.LastSeq, c.Seq)
	}
	t.LastSeq = max(t.LastSeq, last)
	return refusal
}

// comment writes one. Where its words are refused (a firewall that takes a pasted
// log for an attack, a text that is too long), left is why, and the ticket says in
// its place where they stand. Where that is refused too, the ticket takes no
// comments at the moment, and this one is not left out.
func (y *Syncer) comment(ctx context.Context, key string, s *incidents.Incident, c bot.TicketComment) (left, err error) {
	err = y.Tracker.Comment(ctx, key, c)
	if !refused(err) {
		return nil, err
	}
	instead := c
	instead.Text = bot.CommentElsewhere(y.lang(s), s.ID, y.Links)
	if again := y.Tracker.Comment(ctx, key, instead); again != nil {
		if refused(again) {
			return nil, err
		}
		return nil, again
	}
	return incidents.Fail(incidents.Invalid, "error.ticket_comment", "a comment was refused: "+err.Error(), "text", bot.Line(c.Text, 80)), nil
}
