package discord

import (
	"context"
	"fmt"
	"slices"
)

// Channel is a channel as people see it.
type Channel struct {
	ID, Name, Topic, Parent string
	Type                    int64
	Overwrites              []any
	Pins                    []string
}

// Message is a message as people see it.
type Message struct {
	ID, Author, Content string
	Embeds              []map[string]any
	Rows                []map[string]any
	Files               map[string]string
	Flags               int64
}

// Channels are all text channels, or those of another type.
func (s *Server) Channels(kind int64) []Channel {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Channel
	for _, c := range s.channels {
		if k := number(c.object["type"]); k == kind {
			out = append(out, Channel{
				text(c.object["id"]), text(c.object["name"]), text(c.object["topic"]), text(c.object["parent_id"]), k, list(c.object["permission_overwrites"]), slices.Clone(c.pins),
			})
		}
	}
	return out
}

// Messages are those of a channel, the oldest first.
func (s *Server) Messages(id string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channel(id)
	if c == nil {
		return nil
	}
	var out []Message
	for _, m := range c.messages {
		v := Message{ID: m.id(), Author: text(m.object["author"].(object)["id"]), Content: text(m.object["content"]), Files: map[string]string{}, Flags: number(m.object["flags"])}
		for _, e := range list(m.object["embeds"]) {
			v.Embeds = append(v.Embeds, e.(object))
		}
		for _, r := range list(m.object["components"]) {
			v.Rows = append(v.Rows, r.(object))
		}
		for _, a := range list(m.object["attachments"]) {
			v.Files[text(a.(object)["filename"])] = text(a.(object)["content"])
		}
		out = append(out, v)
	}
	return out
}

// AddChannel makes one, as a person would.
func (s *Server) AddChannel(kind int64, name, topic, parent string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &channel{object: object{"id": s.id(), "type": kind, "name": name, "topic": topic, "guild_id": Guild, "parent_id": nil, "permission_overwrites": []any{}, "position": len(s.channels), "flags": 0}}
	if parent != "" {
		c.object["parent_id"] = parent
	}
	s.channels = append(s.channels, c)
	return text(c.object["id"])
}

// DeleteChannel takes one away, as a person would.
func (s *Server) DeleteChannel(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels = slices.DeleteFunc(s.channels, func(c *channel) bool { return text(c.object["id"]) == id })
}

// DeleteMessage takes one away, as a moderator would.
func (s *Server) DeleteMessage(in, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.channel(in)
	c.messages = slices.DeleteFunc(c.messages, func(m *message) bool { return m.id() == id })
}

// Revoke makes the bot's token invalid; Forget lets minutes go by in which
// Discord forgets the nonces of messages.
func (s *Server) Revoke() { s.mu.Lock(); defer s.mu.Unlock(); s.token = "revoked" }

// Forget lets so much time pass that nonces mean nothing any more.
func (s *Server) Forget() { s.mu.Lock(); defer s.mu.Unlock(); clear(s.nonces) }

// Allow sets the bot's permissions.
func (s *Server) Allow(perms int64) { s.mu.Lock(); defer s.mu.Unlock(); s.Perms = perms }

// Count is how often the bot asked for a route: "POST guilds/*/channels".
func (s *Server) Count(shape string) int { s.mu.Lock(); defer s.mu.Unlock(); return s.counts[shape] }

// Refused is how many requests were refused as invalid.
func (s *Server) Refused() int { s.mu.Lock(); defer s.mu.Unlock(); return s.refused }

// Puts is how often commands were written.
func (s *Server) Puts() int { s.mu.Lock(); defer s.mu.Unlock(); return s.puts }

// Commands are those that are registered, as JSON.
func (s *Server) Commands() []byte { s.mu.Lock(); defer s.mu.Unlock(); return slices.Clone(s.commands) }

// Exchanges are the requests and answers so far, where Log is set.
func (s *Server) Exchanges() []Exchange {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.exchanges)
}

// Await waits until ok says yes, which it is asked after each request.
func (s *Server) Await(ctx context.Context, what string, ok func() bool) error {
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		if ok() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, ctx.Err())
		}
	}
}
