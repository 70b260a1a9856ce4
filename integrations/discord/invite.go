package discord

import (
	"net/url"
	"strconv"
)

// Invite is the address at which somebody who runs the guild lets the bot in,
// with the permissions that it needs and no others.
// https://docs.discord.com/developers/topics/oauth2#bot-authorization-flow
func Invite(c Config) string {
	q := url.Values{
		"client_id": {c.App}, "scope": {"bot applications.commands"}, "permissions": {strconv.FormatInt(wanted(c.Private), 10)},
		"guild_id": {c.Guild}, "disable_guild_select": {"true"},
	}
	return "https://discord.com/oauth2/authorize?" + q.Encode()
}
