package discord

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/chat"
)

// event is what the gateway tells of messages and reactions.
type event struct {
	ID      string    `json:"id"`
	IDs     []string  `json:"ids"` // of many that are deleted at once
	Channel string    `json:"channel_id"`
	Guild   string    `json:"guild_id"`
	Type    int       `json:"type"`
	Content string    `json:"content"`
	Webhook string    `json:"webhook_id"`
	At      time.Time `json:"timestamp"`
	Edited  time.Time `json:"edited_timestamp"`
	Member  *member   `json:"member"`
	Author  *author   `json:"author"`
	Reactor string    `json:"user_id"`
	Reacted string    `json:"message_id"`
	Emoji   struct {
		Name string `json:"name"`
	} `json:"emoji"`
}

type author struct {
	ID     string `json:"id"`
	Name   string `json:"username"`
	Global string `json:"global_name"`
	Bot    bool   `json:"bot"`
}

// Kinds of messages that people write; others tell of pins and joins.
const (
	plainMessage = 0
	replyMessage = 19
)

// overheard takes in what people say and how they react in the rooms. Other
// channels are nobody's business.
func (in *Inbox) overheard(ctx context.Context, h heard) {
	defer in.caught(ctx, h.kind, "")
	var e event
	if err := json.Unmarshal(h.raw, &e); err != nil {
		in.log.WarnContext(ctx, "an event could not be read", "kind", h.kind, "error", err)
		return
	}
	if e.Guild != in.config.Guild || e.Webhook != "" || e.Author != nil && e.Author.Bot {
		return
	}
	room, known, err := in.Rooms.Incident(ctx, e.Channel)
	if err != nil {
		in.log.WarnContext(ctx, "whose room a channel is could not be looked up", "error", err)
		return
	}
	if !known {
		return
	}
	switch h.kind {
	case "MESSAGE_REACTION_ADD", "MESSAGE_REACTION_REMOVE":
		err = in.reacted(ctx, room, &e, h.kind == "MESSAGE_REACTION_REMOVE")
	case "MESSAGE_DELETE", "MESSAGE_DELETE_BULK":
		err = in.takenBack(ctx, room, append(e.IDs, e.ID))
	default:
		err = in.said(ctx, room, &e, h.kind == "MESSAGE_UPDATE")
	}
	if err != nil {
		in.log.WarnContext(ctx, "what happened in a room could not be noted", "kind", h.kind, "incident", room.String(), "error", err)
	}
}

// said notes what somebody wrote. An update without a time is Discord's own: a
// preview of a link, say.
func (in *Inbox) said(ctx context.Context, room incidents.ID, e *event, edited bool) error {
	if e.Author == nil || e.Content == "" || edited && e.Edited.IsZero() || e.Type != plainMessage && e.Type != replyMessage {
		return nil
	}
	who, refused := in.speaker(e)
	if refused != "" {
		return nil
	}
	return in.Talk.Said(ctx, room, incidents.Said{Chat: Chat, MessageID: e.ID, By: who, Text: bot.Clean(e.Content), At: e.At, Edited: edited})
}

// takenBack passes on that messages were deleted, whoever wrote them: Discord
// does not tell.
func (in *Inbox) takenBack(ctx context.Context, room incidents.ID, ids []string) error {
	var failed error
	for _, id := range ids {
		if id != "" {
			failed = errors.Join(failed, in.Talk.Said(ctx, room, incidents.Said{Chat: Chat, MessageID: id, Deleted: true}))
		}
	}
	return failed
}

// speaker is who wrote a message; the member comes without the user there.
func (in *Inbox) speaker(e *event) (incidents.Actor, string) {
	m := member{}
	if e.Member != nil {
		m = *e.Member
	}
	m.User.ID, m.User.Name, m.User.Global, m.User.Bot = e.Author.ID, e.Author.Name, e.Author.Global, e.Author.Bot
	return in.person(e.Guild, &m)
}

// reacted passes on a reaction, with the message that it is on where a person
// wrote that. Who takes one away is told by id only, so their roles are asked for.
func (in *Inbox) reacted(ctx context.Context, room incidents.ID, e *event, taken bool) error {
	m := e.Member
	if m == nil {
		m = &member{}
		err := in.Client.do(ctx, ask{method: http.MethodGet, path: "/guilds/" + in.config.Guild + "/members/" + e.Reactor, class: classRead, key: "members"}, m)
		if err != nil {
			return err
		}
	}
	m.User.ID = e.Reactor
	who, refused := in.person(e.Guild, m)
	if refused != "" {
		return nil
	}
	s, err := in.Incidents.Load(ctx, room)
	if err != nil || s == nil {
		return err
	}
	r := bot.Reaction{Key: chat.KeyOf(s.Rooms[Chat], e.Reacted), Emoji: e.Emoji.Name, Taken: taken}
	if r.Key == "" && r.Emoji == "📌" {
		if r.Said, err = in.written(ctx, e); err != nil || r.Said == nil {
			return err
		}
	}
	// A reaction has no id of its own, and needs none: each of them sets something
	// (a vote, a pin, an acknowledgement), which is the same done twice.
	_, _ = in.Desk.React(ctx, bot.Request{Person: who, Chat: Chat, Incident: room, Lang: in.config.Language}, r) // the router logs what it refuses
	return nil
}

// written is a message that a person wrote; nil where it is none.
func (in *Inbox) written(ctx context.Context, e *event) (*incidents.Said, error) {
	var m event
	if err := in.Client.do(ctx, ask{method: http.MethodGet, path: "/channels/" + e.Channel + "/messages/" + e.Reacted, class: classRead, key: e.Channel}, &m); err != nil {
		return nil, err
	}
	if m.Author == nil || m.Author.Bot || m.Webhook != "" || m.Content == "" {
		return nil, nil
	}
	who := incidents.Actor{ID: "discord:" + e.Guild + "/" + m.Author.ID, Name: bot.Line(m.Author.Name, 100)}
	if m.Author.Global != "" {
		who.Name = bot.Line(m.Author.Global, 100)
	}
	return &incidents.Said{Chat: Chat, MessageID: e.Reacted, By: who, Text: bot.Clean(m.Content), At: m.At}, nil
}
