package discord

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Permissions of the bot that are looked at.
const (
	manageChannels int64 = 1 << 4
	viewChannel    int64 = 1 << 10
	sendMessages   int64 = 1 << 11
	embedLinks     int64 = 1 << 14
	attachFiles    int64 = 1 << 15
	readHistory    int64 = 1 << 16
	manageRoles    int64 = 1 << 28
	pinMessages    int64 = 1 << 51
)

func (s *Server) may(bits int64) *refusal {
	if s.Perms&viewChannel == 0 {
		return deny(403, 50001, "Missing Access")
	}
	if s.Perms&bits != bits {
		return deny(403, 50013, "Missing Permissions")
	}
	return nil
}

// route finds what is asked; an address that Discord does not have fails the
// test. s.mu is held.
func (s *Server) route(r *http.Request, path string, body []byte) (int, any, *refusal) {
	p := strings.Split(strings.Trim(path, "/"), "/")
	in, files, bad := input(r, body)
	if bad != nil {
		return 0, nil, bad
	}
	if p[0] == "interactions" || p[0] == "webhooks" {
		return s.answering(r.Method, p, in, files)
	}
	if r.Header.Get("Authorization") != "Bot "+s.token {
		return 0, nil, deny(401, 0, "401: Unauthorized")
	}
	if bad := s.paced(r.Method, path); bad != nil {
		return 0, nil, bad
	}
	shape := r.Method + " " + p[0]
	for _, w := range p[1:] {
		if strings.Trim(w, "0123456789") == "" {
			w = "*"
		}
		shape += "/" + w
	}
	s.counts[shape]++
	switch shape {
	case "GET gateway":
		return 200, object{"url": s.socket()}, nil
	case "GET gateway/bot":
		return 200, object{"url": s.socket(), "shards": 1, "session_start_limit": object{"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}}, nil
	case "GET users/@me":
		return 200, me(), nil
	case "GET applications/@me":
		return 200, s.application(), nil
	}
	if p[0] == "guilds" && p[1] != Guild {
		return 0, nil, deny(404, 10004, "Unknown Guild")
	}
	return s.inGuild(shape, p, in, files, r)
}

func (s *Server) inGuild(shape string, p []string, in object, files map[string]string, r *http.Request) (int, any, *refusal) {
	switch shape {
	case "GET guilds/*":
		return 200, s.guild(), nil
	case "GET guilds/*/roles":
		return 200, s.roles(), nil
	case "GET guilds/*/members/*":
		if p[3] == Nobody {
			return 0, nil, deny(404, 10007, "Unknown Member")
		}
		return 200, s.member(p[3]), nil
	case "GET guilds/*/channels":
		return 200, s.listed(), s.may(viewChannel)
	case "POST guilds/*/channels":
		return s.createChannel(in)
	case "GET applications/*/guilds/*/commands":
		return 200, s.commands, nil
	case "PUT applications/*/guilds/*/commands":
		return s.putCommands(p, in)
	}
	if p[0] == "channels" && len(p) > 1 {
		c := s.channel(p[1])
		if c == nil {
			return 0, nil, deny(404, 10003, "Unknown Channel")
		}
		return s.inChannel(shape, c, p, in, files, r)
	}
	s.wrong("there is no %s %s", r.Method, r.URL.Path)
	return 0, nil, deny(404, 0, "404: Not Found")
}

func (s *Server) inChannel(shape string, c *channel, p []string, in object, files map[string]string, r *http.Request) (int, any, *refusal) {
	switch shape {
	case "GET channels/*":
		return 200, c.object, s.may(viewChannel)
	case "PATCH channels/*":
		return s.editChannel(c, in)
	case "DELETE channels/*":
		s.channels = slices.DeleteFunc(s.channels, func(o *channel) bool { return o == c })
		return 200, c.object, s.may(manageChannels)
	case "GET channels/*/messages":
		return 200, newest(c, r.URL.Query().Get("limit")), s.may(readHistory)
	case "POST channels/*/messages":
		return s.post(c, in, files)
	case "GET channels/*/messages/pins":
		return 200, c.pinned(), nil
	}
	var m *message
	if p[len(p)-1] != "pins" {
		if m = c.message(p[len(p)-1]); m == nil {
			return 0, nil, deny(404, 10008, "Unknown Message")
		}
	}
	switch shape {
	case "PATCH channels/*/messages/*":
		return s.edit(c, m, in, files)
	case "DELETE channels/*/messages/*":
		c.messages = slices.DeleteFunc(c.messages, func(o *message) bool { return o == m })
		return 204, nil, nil
	case "GET channels/*/messages/*":
		return 200, m.object, nil
	case "PUT channels/*/messages/pins/*":
		return s.pin(c, m)
	}
	s.wrong("there is no %s (%s)", shape, strings.Join(p, "/"))
	return 0, nil, deny(404, 0, "404: Not Found")
}

func (s *Server) listed() []any {
	out := []any{}
	for _, c := range s.channels {
		out = append(out, c.object)
	}
	return out
}

// The limits of a guild.
const (
	perGuild    = 500
	perCategory = 50
)

func (s *Server) createChannel(in object) (int, any, *refusal) {
	kind, name, parent := number(in["type"]), text(in["name"]), text(in["parent_id"])
	if bad := s.may(manageChannels); bad != nil {
		return 0, nil, bad
	}
	if all := list(in["permission_overwrites"]); len(all) > 0 {
		s.checkOverwrites(all)
		if bad := s.may(manageRoles); bad != nil {
			return 0, nil, bad
		}
	}
	switch {
	case units(name) < 1 || units(name) > 100:
		return 0, nil, invalid("name", "Must be between 1 and 100 in length.")
	case kind == 0 && strings.ContainsAny(name, " ABCDEFGHIJKLMNOPQRSTUVWXYZ"):
		s.wrong("channel name %q would be changed by Discord", name)
	case units(text(in["topic"])) > 1024:
		return 0, nil, invalid("topic", "Must be 1024 or fewer in length.")
	case len(s.channels) >= perGuild:
		return 0, nil, deny(400, 30013, "Maximum number of guild channels reached (500)")
	}
	if parent != "" {
		if s.channel(parent) == nil {
			return 0, nil, invalid("parent_id", "Category does not exist")
		}
		if s.children(parent) >= perCategory {
			return 0, nil, invalid("parent_id", "Maximum number of channels in category reached (50)")
		}
	}
	c := &channel{object: object{
		"id": s.id(), "type": kind, "name": name, "guild_id": Guild, "position": len(s.channels), "flags": 0, "nsfw": false,
		"permission_overwrites": overwrites(in["permission_overwrites"]), "parent_id": nil,
	}}
	if parent != "" {
		c.object["parent_id"] = parent
	}
	if kind == 0 {
		c.object["topic"] = text(in["topic"])
	}
	s.channels = append(s.channels, c)
	return 201, c.object, nil
}

// checkOverwrites finds what Discord would refuse, or read as something else: an id
// once, of a role (0) or a member (1).
func (s *Server) checkOverwrites(all []any) {
	seen := map[string]bool{}
	for _, o := range overwrites(all) {
		o := o.(object)
		id, kind := text(o["id"]), number(o["type"])
		if len(id) < 17 || strings.Trim(id, "0123456789") != "" || kind != 0 && kind != 1 || seen[id] {
			s.wrong("permission overwrite %v", o)
		}
		seen[id] = true
	}
}

func overwrites(v any) []any {
	out := []any{}
	for _, o := range list(v) {
		o := o.(object)
		out = append(out, object{"id": text(o["id"]), "type": number(o["type"]), "allow": text(o["allow"]), "deny": text(o["deny"])})
	}
	return out
}

func (s *Server) children(parent string) int {
	n := 0
	for _, c := range s.channels {
		if text(c.object["parent_id"]) == parent {
			n++
		}
	}
	return n
}

func (s *Server) editChannel(c *channel, in object) (int, any, *refusal) {
	if bad := s.may(manageChannels); bad != nil {
		return 0, nil, bad
	}
	for k, v := range in {
		switch k {
		case "parent_id":
			if s.children(text(v)) >= perCategory {
				return 0, nil, invalid("parent_id", "Maximum number of channels in category reached (50)")
			}
			c.object[k] = v
		case "name", "topic":
			if bad := s.turn("rename "+text(c.object["id"]), 2, 10*time.Minute); bad != nil {
				return 0, nil, bad
			}
			c.object[k] = v
		case "permission_overwrites":
			c.object[k] = overwrites(v)
		default:
			s.wrong("a channel's %s is changed", k)
		}
	}
	return 200, c.object, nil
}

func (s *Server) putCommands(p []string, in object) (int, any, *refusal) {
	if p[1] != App || p[3] != Guild {
		return 0, nil, deny(403, 50001, "Missing Access")
	}
	all := list(in[""])
	if bad := goodCommands(all); bad != nil {
		return 0, nil, bad
	}
	s.puts++
	s.commands = registered(all, s.id)
	return 200, s.commands, nil
}
