// Package chat is what the adapters of outside chats have in common: which
// incident a channel belongs to, which message of ours an id means, and the
// doors that people's words go through.
//
// It promises that a channel, once it belongs to an incident, never belongs to
// another one, on every replica and after every restart. Start with Directory.
package chat

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Desk is where people's wishes go: what was typed, pressed, reacted.
// *bot.Router is one. Each answers a person who is refused in their language.
type Desk interface {
	Handle(ctx context.Context, q bot.Request) (bot.Reply, error)
	Press(ctx context.Context, q bot.Request, buttonID string) (bot.Reply, error)
	React(ctx context.Context, q bot.Request, e bot.Reaction) (bot.Reply, error)
}

var _ Desk = (*bot.Router)(nil)

// Talk is where what people say to each other goes, so that the incident's
// rooms elsewhere show it. The same message may be told any number of times;
// what bots say is not told at all.
type Talk interface {
	Said(ctx context.Context, incident incidents.ID, s incidents.Said) error
}

// KeyOf is the key of the message that stands in the room under an id of the
// chat: what bot.Reaction wants to know. "" where it is none that is edited in
// place, a person's own words for instance.
func KeyOf(room incidents.Room, messageID string) string {
	if messageID == "" {
		return ""
	}
	for key, p := range room.Posted {
		if p.ID == messageID {
			return key
		}
	}
	return ""
}
