package discord

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

func (s *Server) post(c *channel, in object, files map[string]string) (int, any, *refusal) {
	if bad := s.good(in, files); bad != nil {
		return 0, nil, bad
	}
	nonce := text(in["nonce"])
	if len(nonce) > 25 {
		return 0, nil, invalid("nonce", "Must be 25 or fewer in length.")
	}
	enforce, _ := in["enforce_nonce"].(bool)
	if enforce && nonce == "" {
		s.wrong("enforce_nonce without a nonce")
	}
	key := text(c.object["id"]) + " " + nonce
	if m := s.nonces[key]; enforce && m != nil {
		return 200, m.object, nil
	}
	m := s.stand(c, me(), in, files)
	if nonce != "" {
		s.nonces[key] = m
	}
	s.dispatch("MESSAGE_CREATE", withGuild(m.object))
	return 200, m.object, nil
}

// stand makes the message; s.mu is held.
func (s *Server) stand(c *channel, author object, in object, files map[string]string) *message {
	m := &message{object{
		"id": s.id(), "type": 0, "channel_id": c.object["id"], "author": author, "timestamp": time.Now().UTC().Format(time.RFC3339Nano), "edited_timestamp": nil,
		"tts": false, "mention_everyone": false, "mentions": []any{}, "mention_roles": []any{}, "attachments": []any{}, "pinned": false, "flags": 0,
		"content": "", "embeds": []any{}, "components": []any{},
	}}
	m.put(in, files)
	c.messages = append(c.messages, m)
	return m
}

// put writes what of a request stays.
func (m *message) put(in object, files map[string]string) {
	for _, k := range []string{"content", "embeds", "components"} {
		if v, ok := in[k]; ok && v != nil {
			m.object[k] = v
		}
	}
	if f, ok := in["flags"]; ok {
		m.object["flags"] = number(f)
	}
	for _, e := range list(m.object["embeds"]) {
		e.(object)["type"] = "rich"
		if i, ok := e.(object)["image"].(object); ok { // which shows the name no more
			i["url"] = "https://cdn.discordapp.com/" + strings.TrimPrefix(text(i["url"]), "attachment://")
		}
		for _, f := range list(e.(object)["fields"]) {
			if f := f.(object); f["inline"] == nil {
				f["inline"] = false
			}
		}
	}
	id := 0
	for _, row := range list(m.object["components"]) {
		id++
		row.(object)["id"] = id
		for _, part := range list(row.(object)["components"]) {
			id++
			part.(object)["id"] = id
		}
	}
	if _, ok := in["attachments"]; ok {
		all := []any{}
		for _, a := range list(in["attachments"]) {
			a := a.(object)
			content := files["files["+text(a["id"])+"]"]
			all = append(all, object{"id": text(m.object["id"]), "filename": text(a["filename"]), "size": len(content), "url": "https://cdn.discordapp.com/x", "proxy_url": "https://media.discordapp.net/x", "content": content})
		}
		m.object["attachments"] = all
	}
}

func (s *Server) edit(c *channel, m *message, in object, files map[string]string) (int, any, *refusal) {
	if text(m.object["author"].(object)["id"]) != Bot {
		return 0, nil, deny(403, 50005, "Cannot edit a message authored by another user")
	}
	if _, ok := in["nonce"]; ok {
		s.wrong("an edit has a nonce")
	}
	if bad := s.good(in, files); bad != nil {
		return 0, nil, bad
	}
	m.put(in, files)
	m.object["edited_timestamp"] = time.Now().UTC().Format(time.RFC3339Nano)
	s.dispatch("MESSAGE_UPDATE", withGuild(m.object))
	return 200, m.object, nil
}

func withGuild(m object) object {
	out := object{"guild_id": Guild}
	for k, v := range m {
		out[k] = v
	}
	return out
}

const maxPins = 250

func (s *Server) pin(c *channel, m *message) (int, any, *refusal) {
	if bad := s.may(pinMessages); bad != nil {
		return 0, nil, bad
	}
	if slices.Contains(c.pins, m.id()) {
		return 204, nil, nil
	}
	if len(c.pins) >= maxPins {
		return 0, nil, deny(400, 30003, "Maximum number of pins reached for the channel (250)")
	}
	c.pins = append(c.pins, m.id())
	m.object["pinned"] = true
	return 204, nil, nil
}

func (c *channel) pinned() object {
	items := []any{}
	for _, id := range slices.Backward(c.pins) {
		if m := c.message(id); m != nil {
			items = append(items, object{"pinned_at": m.object["timestamp"], "message": m.object})
		}
	}
	return object{"items": items, "has_more": false}
}

func newest(c *channel, limit string) []any {
	n, err := strconv.Atoi(limit)
	if err != nil {
		n = 50
	}
	out := []any{}
	for _, m := range slices.Backward(c.messages) {
		if len(out) == min(n, 100) {
			break
		}
		out = append(out, m.object)
	}
	return out
}
