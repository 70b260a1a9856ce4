package slack

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	api "github.com/slack-go/slack"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
)

// A room is of use as soon as it has its people and its card. Topic, purpose
// and bookmarks come after, when Slack lets us: they share a tier with making
// rooms, and in a storm the next room is worth more. They wait in memory; of a
// process that dies in between, they are missing, which is logged nowhere but
// hurts nobody: the card has all of it.

// furnishing is what a room shall get.
type furnishing struct {
	channel        string
	incident       incidents.ID
	topic, purpose string
	bookmarks      []bot.Link
}

const (
	maxFurnish = 1000            // rooms that wait; beyond it they are left plain
	furnishFor = 2 * time.Minute // for one room, the wait for its turns included
	maxTopic   = 250             // characters of a topic or a purpose: error too_long
	maxTitle   = 80              // characters of a bookmark's title
)

func (c *Chat) furnishLater(ctx context.Context, f furnishing) {
	select {
	case c.furnish <- f:
	default:
		c.log.WarnContext(ctx, "slack: a room goes without topic and bookmarks; too many wait", "channel", f.channel, "incident", f.incident.String())
	}
}

func (c *Chat) furnishRooms(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case f := <-c.furnish:
			c.furnishRoom(ctx, f)
		}
	}
}

func (c *Chat) furnishRoom(ctx context.Context, f furnishing) {
	ctx, cancel := context.WithTimeout(ctx, furnishFor)
	defer cancel()
	try := func(method string, send func(ctx context.Context) error) bool {
		err := c.patiently(ctx, method, send)
		if err != nil && ctx.Err() == nil {
			c.log.WarnContext(ctx, "slack: could not furnish a room", "channel", f.channel, "incident", f.incident.String(), "method", method, "error", explain(method, err))
		}
		return err == nil
	}
	try(conversationTopic, func(ctx context.Context) error {
		_, err := c.api.SetTopicOfConversationContext(ctx, f.channel, f.topic)
		return err
	})
	if f.purpose != "" {
		try(conversationPurpose, func(ctx context.Context) error {
			_, err := c.api.SetPurposeOfConversationContext(ctx, f.channel, f.purpose)
			return err
		})
	}
	var there []api.Bookmark
	if len(f.bookmarks) == 0 || !try(bookmarksList, func(ctx context.Context) (err error) {
		there, err = c.api.ListBookmarksContext(ctx, f.channel)
		return err
	}) {
		return
	}
	for _, l := range f.bookmarks {
		if slices.ContainsFunc(there, func(b api.Bookmark) bool { return b.Link == l.URL }) {
			continue
		}
		try(bookmarksAdd, func(ctx context.Context) error {
			_, err := c.api.AddBookmarkContext(ctx, f.channel, api.AddBookmarkParameters{Title: cut(l.Label, maxTitle), Type: "link", Link: l.URL})
			return err
		})
	}
}

// patiently waits for a turn as long as ctx lasts, a call's own time or not.
func (c *Chat) patiently(ctx context.Context, method string, send func(ctx context.Context) error) error {
	if err := c.limits.Wait(ctx, method, "", limit.Idle); err != nil {
		return &unsentError{err}
	}
	return c.sent(ctx, method, "", send)
}

// topic says what it is about; how it stands is on the card.
func (c *Chat) topic(s *incidents.Incident) string {
	if s.ID == 0 {
		return oneLine(s.Title, maxTopic)
	}
	return oneLine(s.ID.String()+" "+s.Title, maxTopic)
}

func (c *Chat) purpose(s *incidents.Incident) string {
	if s.ID == 0 {
		return oneLine(c.links.Base, maxTopic)
	}
	return oneLine(phrases.T(c.config.language(), "slack.purpose", "id", s.ID.String(), "url", c.links.Incident(s.ID)), maxTopic)
}

// oneLine is for the two texts of a channel that Slack parses like a message.
func oneLine(s string, n int) string {
	s = strings.Join(strings.Fields(bot.Clean(s)), " ")
	for short := s; ; short = cut(short, length(short)-2) {
		if escaped := escape(short); length(escaped) <= n {
			return escaped
		}
	}
}

// bookmarksOf are the card's links: the console, the runbook, the dashboard.
func (c *Chat) bookmarksOf(s *incidents.Incident) []bot.Link {
	if s.ID == 0 {
		return nil
	}
	return bot.Card(s, c.config.language(), c.now(), c.links).Links
}

// invite brings people, and those of groups, by their ids. Whom Slack does not let in is told to
// the log; a room without anybody in it would be no room, so what may pass is
// tried again.
func (c *Chat) invite(ctx context.Context, channel, self string, guests []string) error {
	users := c.invited(ctx, guests)
	users = slices.DeleteFunc(users, func(u string) bool { return u == self })
	for all := range slices.Chunk(users, 100) { // Slack takes as many at once
		err := c.inviteAll(ctx, channel, all)
		if word := refused(err); word != "" && word != "already_in_channel" && !ambiguous(err) && len(all) > 1 {
			for _, one := range all { // one who cannot come must not keep the others out
				if err := c.inviteAll(ctx, channel, []string{one}); err != nil && refused(err) == "" {
					return explain(conversationInvite, err)
				}
			}
			continue
		}
		if err != nil && refused(err) == "" || ambiguous(err) {
			return explain(conversationInvite, err)
		}
	}
	return nil
}

func (c *Chat) inviteAll(ctx context.Context, channel string, users []string) error {
	err := c.call(ctx, conversationInvite, "", limit.Urgent, func(ctx context.Context) error {
		_, err := c.api.InviteUsersToConversationContext(ctx, channel, users...)
		return err
	})
	if word := refused(err); word != "" && word != "already_in_channel" {
		c.log.WarnContext(ctx, "slack: could not invite", "channel", channel, "users", strings.Join(users, ","), "error", explain(conversationInvite, err))
	}
	return err
}

// groups remembers who is in a user group.
type groups struct {
	mu    sync.Mutex
	known map[string]members
}

type members struct {
	users []string
	at    time.Time
}

// groupsFor is how long a user group's members are believed to stay.
const groupsFor = 10 * time.Minute

// invited are the people among the ids, and those of the groups. A
// group that cannot be read is as it was, or left out.
func (c *Chat) invited(ctx context.Context, guests []string) []string {
	var users []string
	for _, id := range guests {
		if !strings.HasPrefix(id, "S") {
			users = append(users, id)
			continue
		}
		users = append(users, c.membersOf(ctx, id)...)
	}
	slices.Sort(users)
	return slices.Compact(users)
}

func (c *Chat) membersOf(ctx context.Context, group string) []string {
	c.groups.mu.Lock()
	m, ok := c.groups.known[group]
	c.groups.mu.Unlock()
	if ok && c.now().Sub(m.at) < groupsFor {
		return m.users
	}
	var users []string
	err := c.call(ctx, usergroupMembers, "", limit.Urgent, func(ctx context.Context) (err error) {
		users, err = c.api.GetUserGroupMembersContext(ctx, group)
		return err
	})
	if err != nil {
		c.log.WarnContext(ctx, "slack: could not read who is in a user group", "group", group, "error", explain(usergroupMembers, err))
		return m.users
	}
	c.groups.mu.Lock()
	defer c.groups.mu.Unlock()
	if c.groups.known == nil {
		c.groups.known = map[string]members{}
	}
	c.groups.known[group] = members{users, c.now()}
	return users
}
