package slack

import (
	"context"
	"sync"
	"time"

	api "github.com/slack-go/slack"

	"github.com/hikeshi-ops/hikeshi/integrations/limit"
)

// Slack takes no key with a message, so each carries its own in its metadata,
// and before one is posted that an earlier attempt, of this process or of one
// that died, may have posted, the room's own messages are read for it.

// eventType names our messages' metadata.
const eventType = "hikeshi_message"

// metadata carries a message's key.
func metadata(key string) api.MsgOption {
	return api.MsgOptionMetadata(api.SlackMetadata{EventType: eventType, EventPayload: map[string]any{"key": key}})
}

// sure is how long a look at a room holds. A room is kept by who holds its
// effect's lease, 30 s: within this time nobody else can have had it.
const sure = 10 * time.Second

// maxRooms bounds what is remembered of rooms.
const maxRooms = 2000

// memory is what this process knows of what stands in the rooms.
type memory struct {
	mu    sync.Mutex
	rooms map[string]*seen
}

// seen is one room: our messages by key, as of at. A zero at is no knowledge.
type seen struct {
	at  time.Time
	ids map[string]string
}

// knows returns the id under key; sure says that a missing one is not there.
func (m *memory) knows(room, key string, now time.Time) (id string, certain bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.rooms[room]
	if s == nil || s.at.IsZero() || now.Sub(s.at) > sure || now.Before(s.at) {
		return "", false
	}
	return s.ids[key], true
}

// learn replaces what is known of a room.
func (m *memory) learn(room string, ids map[string]string, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rooms == nil || len(m.rooms) >= maxRooms {
		m.rooms = map[string]*seen{}
	}
	m.rooms[room] = &seen{at: now, ids: ids}
}

// posted adds a message, where the room is known.
func (m *memory) posted(room, key, id string, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := m.rooms[room]; s != nil && !s.at.IsZero() {
		s.ids[key], s.at = id, now
	}
}

// doubt forgets a room: something happened in it that nobody knows the end of.
func (m *memory) doubt(room string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.rooms, room)
}

// maxPages bounds a search through a room, newest first; a page is 200 messages.
// What an attempt left behind is near the end.
const maxPages = 10

// search reads which of our messages stand in a room, or in a thread of it.
func (c *client) search(ctx context.Context, channel, thread string, since time.Time) (map[string]string, error) {
	self, err := c.me(ctx)
	if err != nil {
		return nil, err
	}
	ids := map[string]string{}
	oldest := ""
	if !since.IsZero() {
		oldest = stamp(since.Add(-clockSkew))
	}
	for cursor, i := "", 0; i < maxPages; i++ {
		messages, next, err := c.page(ctx, channel, thread, oldest, cursor)
		if err != nil {
			return nil, err
		}
		for j := range messages {
			m := &messages[j]
			key, ok := m.Metadata.EventPayload["key"].(string)
			if ok && m.Metadata.EventType == eventType && m.User == self.UserID && ids[key] == "" {
				ids[key] = m.Timestamp
			}
			for k := range m.Files { // their names are as good as keys
				if m.User == self.UserID {
					ids["file/"+m.Files[k].Name] = m.Timestamp
				}
			}
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	return ids, nil
}

func (c *client) page(ctx context.Context, channel, thread, oldest, cursor string) (messages []api.Message, next string, err error) {
	method := conversationHistory
	if thread != "" {
		method = conversationReplies
	}
	err = c.call(ctx, method, "", limit.Urgent, func(ctx context.Context) error {
		if thread != "" {
			var e error
			messages, _, next, e = c.api.GetConversationRepliesContext(ctx, &api.GetConversationRepliesParameters{
				ChannelID: channel, Timestamp: thread, Cursor: cursor, Limit: 200, IncludeAllMetadata: true})
			return e
		}
		got, e := c.api.GetConversationHistoryContext(ctx, &api.GetConversationHistoryParameters{
			ChannelID: channel, Oldest: oldest, Cursor: cursor, Limit: 200, IncludeAllMetadata: true})
		if e == nil {
			messages, next = got.Messages, got.ResponseMetaData.NextCursor
		}
		return e
	})
	return messages, next, err
}

// clockSkew is how far Slack's clock may be from ours.
const clockSkew = 5 * time.Minute
