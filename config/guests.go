package config

import (
	"fmt"
	"slices"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/integrations/discord"
	"github.com/hikeshi-ops/hikeshi/integrations/slack"
)

// everyones is written among whom a customer's rooms invite for those of the whole chat.
const everyones = bot.AllCustomers

// isGuest says whether somebody can be invited under that id, in whichever chat.
func isGuest(id string) bool { return id == everyones || slack.IsGuest(id) || discord.IsGuest(id) }

// door is who comes into the rooms of a chat.
type door struct {
	chat    string
	private bool
	invited []string // into the rooms that are no customer's
	known   func(id string) bool
}

// guests are those whom a chat invites into the rooms of each customer. Nobody comes
// in because it was not said who does.
func (s *settler) guests(d door) map[string][]string {
	all := map[string][]string{}
	for i := range s.Customers {
		c, key := &s.Customers[i], fmt.Sprintf("customers[%d].invite", i)
		if c.Chats != nil && !slices.Contains(c.Chats, d.chat) {
			continue
		}
		own := slices.DeleteFunc(slices.Clone(c.Invite), func(id string) bool { return !d.known(id) })
		theirs := own
		if slices.Contains(c.Invite, everyones) {
			theirs = slices.Concat(own, d.invited)
		}
		switch open := d.chat == discord.Chat && !d.private; {
		case open && len(own) > 0:
			s.note(wrong(key, "config.customer_open", "chat", d.chat))
		case !open && c.Invite == nil && (d.private || len(d.invited) > 0):
			s.note(wrong(key, "config.customer_invite", "chat", d.chat))
		case d.private && len(theirs) == 0:
			s.note(wrong(key, "config.customer_alone", "chat", d.chat))
		}
		all[c.Name] = theirs
	}
	return all
}
