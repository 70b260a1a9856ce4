package discord

import "strconv"

func user(id, name string, bot bool) object {
	return object{"id": id, "username": name, "global_name": name, "discriminator": "0", "avatar": nil, "bot": bot, "public_flags": 0, "flags": 0, "primary_guild": nil, "clan": nil, "accent_color": nil, "banner": nil}
}

func me() object {
	u := user(Bot, "hikeshi", true)
	u["mfa_enabled"], u["locale"], u["verified"], u["email"] = true, "en-US", true, nil
	return u
}

func (s *Server) application() object {
	flags := 0
	if s.Intents&(1<<15) != 0 {
		flags |= 1 << 19 // message content, limited
	}
	return object{
		"id": App, "name": "Hikeshi", "icon": nil, "description": "", "type": nil, "summary": "", "hook": true, "bot_public": false, "bot_require_code_grant": false,
		"verify_key": s.PublicKey, "flags": flags, "interactions_endpoint_url": s.Endpoint, "redirect_uris": []any{}, "owner": user("900000000000000001", "owner", false),
		"approximate_guild_count": 1, "approximate_user_install_count": 0, "approximate_user_authorization_count": 0, "role_connections_verification_url": nil,
		"explicit_content_filter": 0, "team": nil, "interactions_event_types": []any{}, "interactions_version": 1, "event_webhooks_status": 1,
	}
}

func (s *Server) guild() object {
	return object{"id": Guild, "name": "ops", "owner_id": "900000000000000001", "roles": s.roles()}
}

func (s *Server) roles() []any {
	role := func(id, name string, perms int64) object {
		return object{"id": id, "name": name, "permissions": strconv.FormatInt(perms, 10), "color": 0, "colors": object{"primary_color": 0, "secondary_color": nil, "tertiary_color": nil}, "hoist": false, "managed": false, "mentionable": false, "position": 0, "description": nil, "icon": nil, "unicode_emoji": nil, "flags": 0}
	}
	return []any{role(Guild, "@everyone", 0), role(Role, "on-call", 0), role("300000000000000009", "hikeshi", s.Perms)}
}

func (s *Server) member(id string) object {
	roles := []any{Role}
	if id == Bot {
		roles = []any{"300000000000000009"}
	}
	return object{"user": user(id, "u"+id, id == Bot), "roles": roles, "nick": nil, "avatar": nil, "banner": nil, "communication_disabled_until": nil, "flags": 0, "joined_at": "2026-01-01T00:00:00Z", "pending": false, "premium_since": nil, "mute": false, "deaf": false, "collectibles": nil}
}

// Nobody is an id that no member of the guild has.
const Nobody = "499999999999999999"

// Person is somebody in the guild.
type Person struct {
	ID, Name string
	Roles    []string
	Bot      bool
	Guild    string // another guild than the one there is
	Lang     string
	Pending  bool // has not accepted the guild's rules yet
}

func (p Person) member() object {
	roles := []any{}
	for _, r := range p.Roles {
		roles = append(roles, r)
	}
	return object{"user": user(p.ID, p.Name, p.Bot), "roles": roles, "nick": nil, "permissions": "0", "joined_at": "2026-01-01T00:00:00Z", "deaf": false, "mute": false, "pending": p.Pending, "flags": 0}
}
