package slack

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	api "github.com/slack-go/slack"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
)

// maxNames is how many names are tried for a room: the incident's own, then
// with -2, -3 … where that one is somebody else's, or of an earlier incident of
// the same number. Slack keeps the names of archived channels.
const maxNames = 5

// OpenRoom makes the incident's channel, or adopts the one that an earlier
// attempt made. It is the incident's before anybody hears of it.
func (c *Chat) OpenRoom(ctx context.Context, s *incidents.Incident) (incidents.Room, error) {
	self, err := c.me(ctx)
	if err != nil {
		return incidents.Room{}, err
	}
	channel, made, err := c.channel(ctx, s, self.UserID)
	if err != nil {
		return incidents.Room{}, err
	}
	opened := channel.Created.Time().UTC()
	if channel.Created == 0 {
		opened = c.now()
	}
	if made { // nothing of ours can stand in it yet
		c.memory.learn(channel.ID, map[string]string{}, c.now())
	}
	if s.ID != 0 { // else several incidents share it, and it is nobody's
		if err := c.directory.Put(ctx, channel.ID, s.ID); err != nil {
			return incidents.Room{}, fmt.Errorf("note whose channel %s is: %w", channel.ID, err)
		}
	}
	failpoint.Hit("slack.room.noted")
	if err := c.invite(ctx, channel.ID, self.UserID, c.config.guests(s.Customer)); err != nil {
		return incidents.Room{}, err
	}
	c.furnishLater(ctx, furnishing{channel.ID, s.ID, c.topic(s), c.purpose(s), c.bookmarksOf(s)})
	return incidents.Room{ID: channel.ID, Name: channel.Name, URL: self.URL + "archives/" + channel.ID, OpenedAt: opened}, nil
}

// channel makes or finds the incident's channel under the first name that is
// free or ours.
func (c *Chat) channel(ctx context.Context, s *incidents.Incident, self string) (found *api.Channel, made bool, err error) {
	var own []api.Channel // of ours, once they were read
	for i := range maxNames {
		name := roomName(s, i)
		failpoint.Hit("slack.room.before_create")
		err := c.callWithin(ctx, soon, conversationCreate, "", limit.Urgent, func(ctx context.Context) (err error) {
			found, err = c.api.CreateConversationContext(ctx, api.CreateConversationParams{ChannelName: name, IsPrivate: c.config.Private})
			if err == nil && found.ID == "" {
				err = errNoID
			}
			return err
		})
		failpoint.Hit("slack.room.after_create")
		switch {
		case err == nil:
			return found, true, nil
		case refused(err) != "name_taken":
			return nil, false, explain(conversationCreate, err) // the next attempt finds it, if it was made
		}
		if own == nil {
			if own, err = c.ownChannels(ctx, self); err != nil {
				return nil, false, explain(usersConversations, err)
			}
		}
		if found := adoptable(own, name, self, s.CreatedAt); found != nil {
			return found, false, nil
		}
	}
	return nil, false, incidents.Fail(incidents.Conflict, "slack.error.names", "the names "+roomName(s, 0)+" to -"+strconv.Itoa(maxNames)+" are taken by others",
		"name", roomName(s, 0)).WithHint("hikeshi slack doctor")
}

// roomName is the name that is tried after so many others. Slack takes 80
// characters.
func roomName(s *incidents.Incident, i int) string {
	name := s.Slug()
	if s.ID == 0 {
		name = strings.TrimPrefix(name, "inc-0000-")
	}
	if i == 0 {
		return name[:min(len(name), 80)]
	}
	return name[:min(len(name), 78)] + "-" + strconv.Itoa(i+1)
}

// ownChannels are those that the bot is in: it is in all that it made.
func (c *Chat) ownChannels(ctx context.Context, self string) ([]api.Channel, error) {
	all := []api.Channel{}
	for cursor := ""; ; {
		var page []api.Channel
		err := c.call(ctx, usersConversations, "", limit.Urgent, func(ctx context.Context) (err error) {
			page, cursor, err = c.api.GetConversationsForUserContext(ctx, &api.GetConversationsForUserParameters{
				UserID: self, Cursor: cursor, Limit: 200, Types: []string{"public_channel", "private_channel"}})
			return err
		})
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if cursor == "" {
			return all, nil
		}
	}
}

// adoptable is the channel of that name, if our bot made it, for this incident:
// one that is older than the incident belongs to another of the same number,
// from before somebody began anew.
func adoptable(own []api.Channel, name, self string, since time.Time) *api.Channel {
	for i := range own {
		ch := &own[i]
		if ch.Name == name && ch.Creator == self && !ch.IsArchived && !ch.IsExtShared && !ch.Created.Time().Before(since.Add(-clockSkew)) {
			return ch
		}
	}
	return nil
}
