package discord

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Interaction is something that a person did with the bot, and what the bot
// answered.
type Interaction struct {
	ID, Token string
	Body      []byte // as it was delivered
	Status    int    // of the answer over HTTP
	Said      []byte // that answer

	kind    int64
	since   time.Time
	first   object   // the first answer
	more    []object // follow-ups and edits of the first
	channel string
}

// The types of interactions and of answers.
// https://docs.discord.com/developers/interactions/receiving-and-responding
const (
	kindPing, kindCommand, kindComponent, kindComplete, kindModal            = 1, 2, 3, 4, 5
	answerPong, answerMessage, answerLater, answerSilent, answerUpdate       = 1, 4, 5, 6, 7
	answerChoices, answerModal                                         int64 = 8, 9
)

func (s *Server) interaction(kind int64, by Person, channelID string, data object) (*Interaction, object) {
	guild := by.Guild
	if guild == "" {
		guild = Guild
	}
	lang := by.Lang
	if lang == "" {
		lang = "en-US"
	}
	i := &Interaction{ID: s.id(), kind: kind, since: time.Now(), channel: channelID}
	i.Token = "aW50ZXJhY3Rpb246" + i.ID
	s.answers[i.Token] = i
	return i, object{
		"id": i.ID, "application_id": App, "type": kind, "data": data, "guild_id": guild, "channel_id": channelID, "member": by.member(), "token": i.Token,
		"version": 1, "locale": lang, "guild_locale": "en-US", "app_permissions": strconv.FormatInt(s.Perms, 10), "entitlements": []any{}, "context": 0,
		"authorizing_integration_owners": object{"0": guild}, "attachment_size_limit": 10485760,
	}
}

// Command is what a person types: sub is the sub-command, and its group before
// it where there is one.
func (s *Server) Command(by Person, channelID string, sub []string, options map[string]any) *Interaction {
	return s.typed(kindCommand, by, channelID, sub, options, "")
}

// Complete is a person in the middle of typing the option focused.
func (s *Server) Complete(by Person, channelID string, sub []string, options map[string]any, focused string) *Interaction {
	return s.typed(kindComplete, by, channelID, sub, options, focused)
}

func (s *Server) typed(kind int64, by Person, channelID string, sub []string, options map[string]any, focused string) *Interaction {
	s.mu.Lock()
	defer s.mu.Unlock()
	given := []any{}
	for name, v := range options {
		o := object{"name": name, "type": 3, "value": v}
		if name == focused {
			o["focused"] = true
		}
		given = append(given, o)
	}
	for j := len(sub) - 1; j >= 0; j-- {
		kind := 1
		if j < len(sub)-1 {
			kind = 2
		}
		given = []any{object{"name": sub[j], "type": kind, "options": given}}
	}
	i, body := s.interaction(kind, by, channelID, object{"id": "1", "name": "inc", "type": 1, "guild_id": Guild, "options": given})
	return s.ready(i, body)
}

// Press is a person who presses a button; values are what they chose where it
// is a menu.
func (s *Server) Press(by Person, channelID, messageID, customID string, values ...string) *Interaction {
	s.mu.Lock()
	defer s.mu.Unlock()
	data := object{"custom_id": customID, "component_type": 2}
	if len(values) > 0 {
		data["component_type"], data["values"] = 3, values
	}
	i, body := s.interaction(kindComponent, by, channelID, data)
	body["message"] = object{"id": messageID, "channel_id": channelID, "author": me(), "content": "", "type": 0}
	if c := s.channel(channelID); c != nil {
		if m := c.message(messageID); m != nil {
			body["message"] = m.object
		}
	}
	return s.ready(i, body)
}

// Submit is a person who sends a form.
func (s *Server) Submit(by Person, channelID, customID string, values map[string]string) *Interaction {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows := []any{}
	for id, v := range values {
		rows = append(rows, object{"type": 1, "components": []any{object{"type": 4, "custom_id": id, "value": v}}})
	}
	i, body := s.interaction(kindModal, by, channelID, object{"custom_id": customID, "components": rows})
	return s.ready(i, body)
}

func (s *Server) ready(i *Interaction, body object) *Interaction {
	b, err := json.Marshal(body)
	if err != nil {
		panic("encode an interaction: " + err.Error())
	}
	i.Body = b
	return i
}

// Sign makes the headers of a request of that time.
func (s *Server) Sign(at time.Time, body []byte) (timestamp, signature string) {
	timestamp = strconv.FormatInt(at.Unix(), 10)
	return timestamp, hex.EncodeToString(ed25519.Sign(s.key, append([]byte(timestamp), body...)))
}

// Deliver posts it to an address, signed, as Discord does.
func (s *Server) Deliver(ctx context.Context, url string, i *Interaction) error {
	ts, sig := s.Sign(time.Now(), i.Body)
	return s.DeliverSigned(ctx, url, i, ts, sig)
}

// DeliverSigned posts it with these headers.
func (s *Server) DeliverSigned(ctx context.Context, url string, i *Interaction, timestamp, signature string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(i.Body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Signature-Timestamp", timestamp)
	req.Header.Set("X-Signature-Ed25519", signature)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i.Status, i.Said = resp.StatusCode, b
	if resp.StatusCode == http.StatusOK && len(b) > 0 {
		var in object
		if err := decode(b, &in); err != nil {
			return fmt.Errorf("the answer is not JSON: %w", err)
		}
		if bad := s.firstAnswer(i, in); bad != nil {
			return fmt.Errorf("discord refuses the answer: %s", bad.what)
		}
	}
	s.touch()
	return nil
}

func decode(b []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	return dec.Decode(into)
}

// firstAnswer is the one within three seconds; s.mu is held.
func (s *Server) firstAnswer(i *Interaction, in object) *refusal {
	kind := number(in["type"])
	data, _ := in["data"].(object)
	switch {
	case i.first != nil:
		return deny(400, 40060, "Interaction has already been acknowledged.")
	case time.Since(i.since) > s.Patience:
		return deny(404, 10062, "Unknown interaction")
	case i.kind == kindComplete && kind != answerChoices, i.kind == kindPing && kind != answerPong, i.kind == kindModal && kind == answerModal,
		i.kind != kindComponent && i.kind != kindModal && (kind == answerSilent || kind == answerUpdate):
		s.wrong("an interaction of type %d is answered with %d", i.kind, kind)
	}
	switch kind {
	case answerMessage:
		if bad := s.good(data, nil); bad != nil {
			return bad
		}
	case answerModal:
		if bad := goodModal(data); bad != nil {
			return bad
		}
	case answerChoices:
		if len(list(data["choices"])) > 25 {
			return invalid("choices", "Must be 25 or fewer in length.")
		}
		for _, c := range list(data["choices"]) {
			if n, v := units(text(c.(object)["name"])), units(text(c.(object)["value"])); n < 1 || n > 100 || v > 100 {
				return invalid("choices", "Must be between 1 and 100 in length.")
			}
		}
	}
	i.first = in
	return nil
}

func goodModal(data object) *refusal {
	rows := list(data["components"])
	if n := units(text(data["title"])); n < 1 || n > 45 || text(data["custom_id"]) == "" || len(text(data["custom_id"])) > 100 || len(rows) < 1 || len(rows) > 5 {
		return invalid("modal", "is wrong")
	}
	for _, r := range rows {
		for _, p := range list(r.(object)["components"]) {
			p := p.(object)
			if n := units(text(p["label"])); number(p["type"]) != 4 || n < 1 || n > 45 || text(p["custom_id"]) == "" || number(p["style"]) < 1 || number(p["style"]) > 2 || number(p["max_length"]) > 4000 || units(text(p["placeholder"])) > 100 {
				return invalid("modal.components", "is wrong")
			}
		}
	}
	return nil
}

// answering is the bot's answers that do not come with the request; s.mu is held.
func (s *Server) answering(method string, p []string, in object, files map[string]string) (int, any, *refusal) {
	if p[0] == "interactions" && len(p) == 4 && method == http.MethodPost {
		i := s.answers[p[2]]
		if i == nil || i.ID != p[1] {
			return 0, nil, deny(404, 10062, "Unknown interaction")
		}
		return 204, nil, s.firstAnswer(i, in)
	}
	if len(p) < 3 || p[1] != App {
		s.wrong("there is no %s %v", method, p)
		return 0, nil, deny(404, 10015, "Unknown Webhook")
	}
	i := s.answers[p[2]]
	if i == nil || time.Since(i.since) > 15*time.Minute {
		return 0, nil, deny(401, 50027, "Invalid Webhook Token")
	}
	if i.first == nil {
		return 0, nil, deny(404, 10015, "Unknown Webhook")
	}
	if method == http.MethodDelete {
		return 204, nil, nil
	}
	if bad := s.good(in, files); bad != nil {
		return 0, nil, bad
	}
	in["files"] = files
	i.more = append(i.more, in)
	m := &message{object{"id": s.id(), "type": 0, "channel_id": i.channel, "author": me(), "timestamp": time.Now().UTC().Format(time.RFC3339Nano), "edited_timestamp": nil, "tts": false, "mention_everyone": false, "mentions": []any{}, "mention_roles": []any{}, "attachments": []any{}, "pinned": false, "flags": 0, "content": "", "embeds": []any{}, "components": []any{}}}
	m.put(in, files)
	return 200, m.object, nil
}

// First is the bot's first answer; nil until there is one.
func (s *Server) First(i *Interaction) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return i.first
}

// More are the answers after the first.
func (s *Server) More(i *Interaction) []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]object(nil), i.more...)
}
