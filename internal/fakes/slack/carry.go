package slack

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var goodName = regexp.MustCompile(`^[a-z0-9_-]+$`)

// carry carries a call out; s.mu is held.
func (s *Server) carry(name string, a map[string]string) object {
	switch name {
	case "auth.test":
		return object{"ok": true, "url": "https://hikeshi-test.slack.com/", "team": "Test", "user": "hikeshi", "team_id": Team, "user_id": BotUser, "bot_id": "B0BOT", "is_enterprise_install": false}
	case "bots.info":
		return object{"ok": true, "bot": object{"id": a["bot"], "app_id": App, "user_id": BotUser, "name": "hikeshi"}}
	case "users.info":
		return s.userInfo(a["user"])
	case "usergroups.users.list":
		if users, ok := s.groups[a["usergroup"]]; ok {
			return object{"ok": true, "users": users}
		}
		return no("no_such_subteam")
	case "conversations.create":
		return s.create(a)
	case "users.conversations":
		return s.conversations(a)
	case "apps.connections.open":
		s.serial++
		return object{"ok": true, "url": strings.Replace(strings.TrimSuffix(s.URL, "api/"), "http", "ws", 1) + "socket?ticket=" + strconv.Itoa(s.serial)}
	case "views.open", "views.publish":
		return s.view(name, a)
	case "files.getUploadURLExternal":
		return s.getUploadURL(a)
	}
	return s.inRoom(name, a)
}

func (s *Server) userInfo(id string) object {
	u, ok := s.users[id]
	if !ok {
		return no("user_not_found")
	}
	return object{"ok": true, "user": object{"id": u.ID, "team_id": u.Team, "name": u.Name, "real_name": u.Name, "deleted": u.Deleted, "is_bot": u.Bot,
		"is_restricted": u.Guest, "is_stranger": u.Stranger, "locale": u.Locale, "profile": object{"display_name": u.Name, "real_name": u.Name}}}
}

func (s *Server) create(a map[string]string) object {
	name := a["name"]
	switch {
	case len(name) > 80:
		s.wrong("conversations.create", "the name %q is too long", name)
		return no("invalid_name_maxlength")
	case !goodName.MatchString(name):
		s.wrong("conversations.create", "the name %q", name)
		return no("invalid_name_specials")
	case slices.ContainsFunc(s.rooms, func(r *Room) bool { return r.Name == name }):
		return no("name_taken")
	}
	r := s.addRoom(name, BotUser, a["is_private"] == "true", s.o.Now())
	return object{"ok": true, "channel": r.json()}
}

func (r *Room) json() object {
	return object{"id": r.ID, "name": r.Name, "creator": r.Creator, "created": r.Created.Unix(), "is_archived": r.Archived, "is_channel": true,
		"is_private": r.Private, "is_ext_shared": false, "topic": object{"value": r.Topic}, "purpose": object{"value": r.Purpose}}
}

func (s *Server) conversations(a map[string]string) object {
	from, _ := strconv.Atoi(a["cursor"])
	limit, _ := strconv.Atoi(cmp.Or(a["limit"], "100"))
	mine := []object{}
	for _, r := range s.rooms {
		if slices.Contains(r.Members, cmp.Or(a["user"], BotUser)) && (a["exclude_archived"] != "true" || !r.Archived) {
			mine = append(mine, r.json())
		}
	}
	return paged("channels", mine, from, limit)
}

func paged(name string, all []object, from, limit int) object {
	to, next := min(from+limit, len(all)), ""
	if to < len(all) {
		next = strconv.Itoa(to)
	}
	return object{"ok": true, name: all[min(from, to):to], "has_more": next != "", "response_metadata": object{"next_cursor": next}}
}

// inRoom is what happens in a channel.
func (s *Server) inRoom(name string, a map[string]string) object {
	r := s.room(cmp.Or(a["channel"], a["channel_id"]))
	if r == nil || !slices.Contains(r.Members, BotUser) {
		return no("channel_not_found")
	}
	if r.Archived && slices.Contains(Methods[name].Errors, "is_archived") {
		return no("is_archived")
	}
	switch name {
	case "conversations.invite":
		return s.invite(r, strings.Split(a["users"], ","))
	case "conversations.setTopic":
		return s.describe(name, &r.Topic, a["topic"])
	case "conversations.setPurpose":
		return s.describe(name, &r.Purpose, a["purpose"])
	case "conversations.archive":
		if r.Archived {
			return no("already_archived")
		}
		r.Archived = true
	case "conversations.history", "conversations.replies":
		return s.history(r, a)
	case "chat.postMessage":
		return s.post(r, a)
	case "chat.update":
		return s.update(r, a)
	case "chat.postEphemeral":
		if word := s.checkMessage(name, a); word != "" {
			return no(word)
		}
		s.ephemeral = append(s.ephemeral, Ephemeral{r.ID, a["user"], a["text"], a["blocks"]})
		return object{"ok": true, "message_ts": s.ts()}
	case "pins.add":
		return pin(r, a["timestamp"])
	case "bookmarks.add":
		if a["type"] != "link" || !strings.HasPrefix(a["link"], "http") {
			return no("invalid_link")
		}
		r.Bookmarks = append(r.Bookmarks, a["link"])
		return object{"ok": true, "bookmark": object{"id": "Bk1", "link": a["link"], "title": a["title"]}}
	case "bookmarks.list":
		all := []object{}
		for i, l := range r.Bookmarks {
			all = append(all, object{"id": "Bk" + strconv.Itoa(i), "link": l})
		}
		return object{"ok": true, "bookmarks": all}
	case "files.completeUploadExternal":
		return s.complete(r, a)
	}
	return object{"ok": true}
}

func (s *Server) invite(r *Room, users []string) object {
	if len(users) > 100 {
		s.wrong("conversations.invite", "%d users at once", len(users))
	}
	for _, u := range users {
		switch _, known := s.users[u]; {
		case u == BotUser:
			return no("cant_invite_self")
		case !known:
			return no("user_not_found")
		case slices.Contains(r.Members, u):
			return no("already_in_channel")
		}
	}
	r.Members = append(r.Members, users...)
	return object{"ok": true, "channel": r.json()}
}

func (s *Server) describe(method string, field *string, value string) object {
	if len([]rune(value)) > 250 {
		return no("too_long")
	}
	s.checkText(method, value)
	*field = value
	return object{"ok": true}
}

func pin(r *Room, ts string) object {
	switch {
	case slices.Contains(r.Pins, ts):
		return no("already_pinned")
	case r.message(ts) == nil:
		return no("message_not_found")
	}
	r.Pins = append(r.Pins, ts)
	return object{"ok": true}
}

func (r *Room) message(ts string) *Message {
	for i := range r.Messages {
		if r.Messages[i].TS == ts {
			return &r.Messages[i]
		}
	}
	return nil
}

func (s *Server) post(r *Room, a map[string]string) object {
	if !s.o.Others && (a["unfurl_links"] != "false" || a["unfurl_media"] != "false") {
		s.wrong("chat.postMessage", "links and media are not to be unfurled")
	}
	if word := s.checkMessage("chat.postMessage", a); word != "" {
		return no(word)
	}
	var meta struct {
		Type    string            `json:"event_type"`
		Payload map[string]string `json:"event_payload"`
	}
	if err := json.Unmarshal([]byte(a["metadata"]), &meta); a["metadata"] != "" && err != nil {
		s.wrong("chat.postMessage", "metadata %s: %v", a["metadata"], err)
	}
	m := Message{TS: s.ts(), User: BotUser, Bot: true, Text: a["text"], Blocks: a["blocks"], Thread: a["thread_ts"], Key: meta.Payload["key"], metadata: a["metadata"], At: s.o.Now()}
	if m.Thread != "" && r.message(m.Thread) == nil {
		s.wrong("chat.postMessage", "no message %s to reply to", m.Thread)
	}
	r.Messages = append(r.Messages, m)
	return object{"ok": true, "channel": r.ID, "ts": m.TS}
}

func (s *Server) update(r *Room, a map[string]string) object {
	m := r.message(a["ts"])
	switch {
	case m == nil:
		return no("message_not_found")
	case m.User != BotUser:
		return no("cant_update_message")
	}
	if word := s.checkMessage("chat.update", a); word != "" {
		return no(word)
	}
	m.Text, m.Blocks, m.Edits = a["text"], a["blocks"], m.Edits+1
	return object{"ok": true, "channel": r.ID, "ts": m.TS, "text": m.Text}
}

func (s *Server) history(r *Room, a map[string]string) object {
	limit, _ := strconv.Atoi(cmp.Or(a["limit"], "100"))
	from, _ := strconv.Atoi(a["cursor"])
	all := []object{}
	thread, replies := a["ts"], a["ts"] != ""
	for _, m := range slices.Backward(r.Messages) {
		in := m.Thread == ""
		if replies {
			in = m.TS == thread || m.Thread == thread
		}
		if !in || a["oldest"] != "" && m.TS <= a["oldest"] {
			continue
		}
		o := object{"type": "message", "ts": m.TS, "user": m.User, "text": m.Text}
		if m.Bot {
			o["bot_id"] = "B0BOT"
		}
		if m.metadata != "" && (a["include_all_metadata"] == "1" || a["include_all_metadata"] == "true") {
			o["metadata"] = json.RawMessage(m.metadata)
		}
		if m.File != "" {
			o["files"] = []object{{"id": "F1", "name": m.File}}
		}
		all = append(all, o)
	}
	if replies && len(all) == 0 {
		return no("thread_not_found")
	}
	return paged("messages", all, from, limit)
}

func (s *Server) view(name string, a map[string]string) object {
	s.checkView(name, a["view"])
	s.serial++
	v := View{ID: fmt.Sprintf("V%06d", s.serial), User: a["user_id"], JSON: a["view"]}
	if name == "views.publish" {
		s.homes[v.User] = v
		return object{"ok": true, "view": object{"id": v.ID}}
	}
	at, ok := s.triggers[a["trigger_id"]]
	delete(s.triggers, a["trigger_id"])
	switch {
	case !ok:
		return no("exchanged_trigger_id")
	case s.o.Now().Sub(at) > s.o.Patience:
		return no("expired_trigger_id")
	}
	s.views = append(s.views, v)
	return object{"ok": true, "view": object{"id": v.ID}}
}
