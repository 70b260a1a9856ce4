package slack

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
)

var _ bot.Archiver = (*Chat)(nil)

// Archive archives the room of an incident that is over. One that somebody
// archived or deleted before is as it should be.
func (c *Chat) Archive(ctx context.Context, room incidents.Room) error {
	err := c.call(ctx, conversationArchive, "", limit.Idle, func(ctx context.Context) error {
		return c.api.ArchiveConversationContext(ctx, room.ID)
	})
	switch refused(err) {
	case "already_archived", "channel_not_found":
		return nil
	}
	return explain(conversationArchive, err)
}
