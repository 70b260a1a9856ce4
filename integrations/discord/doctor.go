package discord

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/bwmarrin/discordgo"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Diagnosis is one thing that has to be right.
type Diagnosis struct {
	Good bool
	What incidents.Reason // what was looked at, and how it is
	Do   incidents.Reason // what mends it
}

// flagMessages are the application's flags of the message content intent, for
// large and for small bots.
const flagMessages = 1<<18 | 1<<19

// Examine looks at everything that has to be right, and changes nothing.
func Examine(ctx context.Context, c *Client, config Config) []Diagnosis {
	var all []Diagnosis
	say := func(good bool, what string, args []string, do string, doArgs ...string) bool {
		d := Diagnosis{Good: good, What: incidents.Because("discord.doctor."+what, args...)}
		if !good {
			d.Do = incidents.Because("discord.doctor.do."+do, doArgs...)
		}
		all = append(all, d)
		return good
	}
	var app struct {
		ID       string `json:"id"`
		Name     string `json:"name"`
		Flags    int    `json:"flags"`
		Key      string `json:"verify_key"`
		Endpoint string `json:"interactions_endpoint_url"`
	}
	err := c.do(ctx, ask{method: http.MethodGet, path: "/applications/@me", class: classRead, key: "app", lane: laneFirst}, &app)
	if e, said := errors.AsType[*incidents.Error](err); err != nil && (!said || e.Phrase != "error.discord_revoked") {
		say(false, "away", []string{"error", err.Error()}, "network") // a good token must not be made anew for that
		return all
	}
	if !say(err == nil, "token", nil, "token") {
		return all
	}
	say(app.ID == config.App, "app", []string{"app", app.ID}, "app", "app", app.ID)
	if config.Via == ViaHTTP {
		say(strings.EqualFold(app.Key, config.PublicKey), "key", nil, "key")
		say(app.Endpoint != "", "endpoint", []string{"url", app.Endpoint}, "endpoint", "path", Path)
	} else {
		say(app.Endpoint == "", "gateway", nil, "gateway")
	}
	if config.Messages {
		say(app.Flags&flagMessages != 0, "messages", nil, "messages")
	}
	return append(all, examineGuild(ctx, c, config)...)
}

// examineGuild looks at what the bot may do there, and at the places for rooms.
func examineGuild(ctx context.Context, c *Client, config Config) []Diagnosis {
	invite := incidents.Because("discord.doctor.do.invite", "url", Invite(config))
	var guild struct {
		Name  string           `json:"name"`
		Roles []discordgo.Role `json:"roles"`
	}
	if err := c.do(ctx, ask{method: http.MethodGet, path: "/guilds/" + config.Guild, class: classRead, key: config.Guild, lane: laneFirst}, &guild); err != nil {
		return []Diagnosis{{What: incidents.Because("discord.doctor.guild", "name", config.Guild), Do: invite}}
	}
	all := []Diagnosis{{Good: true, What: incidents.Because("discord.doctor.guild", "name", guild.Name)}}
	lacks, err := lacking(ctx, c, config, guild.Roles)
	d := Diagnosis{Good: err == nil && len(lacks) == 0, What: incidents.Because("discord.doctor.permissions")}
	if !d.Good {
		d.What, d.Do = incidents.Because("discord.doctor.lacks", "permissions", strings.Join(lacks, ", ")), invite
	}
	all = append(all, d)
	for _, role := range config.everyRole() {
		if !slices.ContainsFunc(guild.Roles, func(r discordgo.Role) bool { return r.ID == role }) {
			all = append(all, Diagnosis{What: incidents.Because("discord.doctor.role", "role", role), Do: incidents.Because("discord.doctor.do.role")})
		}
	}
	for _, id := range config.everyMember() {
		if err := c.do(ctx, ask{method: http.MethodGet, path: "/guilds/" + config.Guild + "/members/" + id, class: classRead, key: "members", lane: laneFirst}, &member{}); err != nil {
			all = append(all, Diagnosis{What: incidents.Because("discord.doctor.member", "id", id), Do: incidents.Because("discord.doctor.do.member")})
		}
	}
	var channels []channel
	if err := c.do(ctx, ask{method: http.MethodGet, path: "/guilds/" + config.Guild + "/channels", class: classRead, key: config.Guild, lane: laneFirst}, &channels); err == nil {
		n := len(channels)
		d := Diagnosis{Good: n < maxPerGuild-maxPerCategory, What: incidents.Because("discord.doctor.channels", "n", strconv.Itoa(n), "max", strconv.Itoa(maxPerGuild))}
		if !d.Good {
			d.Do = incidents.Because("discord.doctor.do.channels", "archive", config.Archive)
		}
		all = append(all, d)
	}
	return all
}

// lacking are the names of permissions that no role of the bot gives it.
func lacking(ctx context.Context, c *Client, config Config, roles []discordgo.Role) ([]string, error) {
	self, err := c.Self(ctx)
	if err != nil {
		return nil, err
	}
	var me member
	if err := c.do(ctx, ask{method: http.MethodGet, path: "/guilds/" + config.Guild + "/members/" + self, class: classRead, key: "members", lane: laneFirst}, &me); err != nil {
		return nil, err
	}
	var has int64
	for _, r := range roles {
		if r.ID == config.Guild || slices.Contains(me.Roles, r.ID) {
			has |= r.Permissions
		}
	}
	var names []string
	for _, p := range wantedPermissions {
		if (!p.private || config.Private) && has&p.bit == 0 && has&discordgo.PermissionAdministrator == 0 {
			names = append(names, p.name)
		}
	}
	return names, nil
}
