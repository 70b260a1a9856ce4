package slack

import (
	"context"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
)

const (
	archiveEvery = time.Hour
	archiveBack  = 30 * 24 * time.Hour // how long before its time a room is still looked for
)

// archiveRooms archives rooms some days after their incidents were closed. What
// two replicas both do, Slack does once; what was missed comes with the next
// look.
func (c *Chat) archiveRooms(ctx context.Context) {
	done := map[string]bool{} // in this process: asking again is harmless, but costs a turn
	for {
		if err := c.archiveDue(ctx, done); err != nil && ctx.Err() == nil {
			c.log.WarnContext(ctx, "slack: could not archive the rooms of closed incidents", "error", err)
		}
		timer := time.NewTimer(archiveEvery)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

func (c *Chat) archiveDue(ctx context.Context, done map[string]bool) error {
	due := c.now().Add(-c.config.ArchiveAfter)
	for q := (incidents.Query{Limit: 200}); ; {
		page, err := c.incidents.List(ctx, q)
		if err != nil {
			return err
		}
		for i := range page.Incidents {
			sum := &page.Incidents[i]
			if sum.CreatedAt.Before(due.Add(-archiveBack)) {
				return nil
			}
			if sum.Status != incidents.Closed || sum.UpdatedAt.After(due) {
				continue
			}
			if err := c.archiveOne(ctx, sum.ID, done); err != nil {
				return err
			}
		}
		if q.Before = page.Next; q.Before == 0 {
			return nil
		}
	}
}

func (c *Chat) archiveOne(ctx context.Context, id incidents.ID, done map[string]bool) error {
	s, err := c.incidents.Load(ctx, id)
	if err != nil {
		return err
	}
	channel := s.Rooms[Name].ID
	if channel == "" || done[channel] || s.Status() != incidents.Closed {
		return nil
	}
	if err := c.limits.Wait(ctx, conversationArchive, "", limit.Idle); err != nil {
		return err
	}
	err = c.sent(ctx, conversationArchive, "", func(ctx context.Context) error { return c.api.ArchiveConversationContext(ctx, channel) })
	if err == nil || refused(err) != "" && !ambiguous(err) { // archived, or not to be
		done[channel] = true
	}
	if word := refused(err); err != nil && word != "already_archived" {
		c.log.WarnContext(ctx, "slack: could not archive a room", "channel", channel, "incident", id.String(), "error", explain(conversationArchive, err))
	}
	return nil
}
