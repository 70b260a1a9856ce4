package slack

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Answer is what the app answered.
type Answer struct {
	Status int // 0: not at all, in time
	Body   string
	Took   time.Duration
}

// Sign is Slack's signature over a body, at a time.
func Sign(secret, body string, at time.Time) http.Header {
	seconds := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + seconds + ":" + body))
	h := http.Header{}
	h.Set("X-Slack-Request-Timestamp", seconds)
	h.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	return h
}

// Post sends a signed body to the app.
func (s *Server) Post(path, content, body string, header http.Header) Answer {
	s.mu.Lock()
	to := s.o.App + path
	now := s.o.Now()
	s.mu.Unlock()
	req, err := http.NewRequest(http.MethodPost, to, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header = Sign(Secret, body, now)
	for k, v := range header {
		req.Header[k] = v
	}
	req.Header.Set("Content-Type", content)
	began := time.Now()
	resp, err := (&http.Client{Timeout: time.Minute}).Do(req)
	if err != nil {
		return Answer{Body: err.Error(), Took: time.Since(began)}
	}
	defer resp.Body.Close()
	out, _ := io.ReadAll(resp.Body)
	return Answer{resp.StatusCode, string(out), time.Since(began)}
}

// Trigger makes one that opens a modal for three seconds.
func (s *Server) Trigger() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial++
	id := fmt.Sprintf("trigger.%d", s.serial)
	s.triggers[id] = s.o.Now()
	return id
}

func (s *Server) respondAt(channel, user string) string {
	return strings.TrimSuffix(s.URL, "api/") + "respond/" + channel + "/" + user
}

// Command is somebody's /inc.
func (s *Server) Command(user, channel, line string) Answer {
	c := map[string]string{"command": "/inc", "text": line, "team_id": Team, "api_app_id": App, "channel_id": channel, "user_id": user,
		"trigger_id": s.Trigger(), "response_url": s.respondAt(channel, user)}
	if s.connected() {
		return s.envelope("slash_commands", c, 0)
	}
	form := url.Values{}
	for k, v := range c {
		form.Set(k, v)
	}
	return s.Post("/slack/commands", "application/x-www-form-urlencoded", form.Encode(), nil)
}

// PressPayload is what a button sends.
func (s *Server) PressPayload(user, channel, ts, button string) map[string]any {
	return object{"type": "block_actions", "api_app_id": App, "team": object{"id": Team}, "user": object{"id": user, "team_id": Team},
		"channel": object{"id": channel}, "container": object{"type": "message", "message_ts": ts, "channel_id": channel},
		"actions": []object{{"type": "button", "action_id": button, "action_ts": "1.2"}}, "trigger_id": s.Trigger(), "response_url": s.respondAt(channel, user)}
}

// Press is somebody's press of a button.
func (s *Server) Press(user, channel, ts, button string) Answer {
	return s.Interact(s.PressPayload(user, channel, ts, button))
}

// Submit is a modal that somebody filled in.
func (s *Server) Submit(user string, v View, values map[string]string) Answer {
	var view struct {
		Callback string `json:"callback_id"`
		Private  string `json:"private_metadata"`
	}
	if err := json.Unmarshal([]byte(v.JSON), &view); err != nil {
		s.t.Fatal(err)
	}
	state := object{}
	for block, value := range values {
		state[block] = object{"input": object{"type": "plain_text_input", "value": value}}
	}
	return s.Interact(object{"type": "view_submission", "api_app_id": App, "team": object{"id": Team}, "user": object{"id": user, "team_id": Team}, "trigger_id": s.Trigger(),
		"view": object{"id": v.ID, "callback_id": view.Callback, "private_metadata": view.Private, "state": object{"values": state}}})
}

// Interact sends an interaction.
func (s *Server) Interact(payload map[string]any) Answer {
	if s.connected() {
		return s.envelope("interactive", payload, 0)
	}
	return s.Post("/slack/interactions", "application/x-www-form-urlencoded", url.Values{"payload": {encode(payload)}}.Encode(), nil)
}

func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// Event is an event; retry is how many deliveries failed before this one.
func (s *Server) Event(id string, e map[string]any, retry int) Answer {
	d := object{"type": "event_callback", "team_id": Team, "api_app_id": App, "event_id": id, "event_time": 1, "event": e}
	if s.connected() {
		return s.envelope("events_api", d, retry)
	}
	h := http.Header{}
	if retry > 0 {
		h.Set("X-Slack-Retry-Num", strconv.Itoa(retry))
		h.Set("X-Slack-Retry-Reason", "http_error")
	}
	return s.Post("/slack/events", "application/json", encode(d), h)
}

// Say is somebody's message; it returns its id and the event's answer.
func (s *Server) Say(user, channel, text string) (ts string, a Answer) {
	s.mu.Lock()
	ts = s.ts()
	if r := s.room(channel); r != nil {
		r.Messages = append(r.Messages, Message{TS: ts, User: user, Text: text, At: s.o.Now()})
	}
	s.mu.Unlock()
	return ts, s.Event("Ev"+ts, object{"type": "message", "user": user, "channel": channel, "text": text, "ts": ts}, 0)
}

func (s *Server) respond(w http.ResponseWriter, r *http.Request) {
	var m struct {
		Type    string `json:"response_type"`
		Replace bool   `json:"replace_original"`
		Text    string
		Blocks  json.RawMessage
	}
	body, _ := io.ReadAll(r.Body)
	if err := json.Unmarshal(body, &m); err != nil || m.Type != "ephemeral" || m.Replace {
		s.wrong("response_url", "%v in %s", err, body)
	}
	s.mu.Lock()
	s.ephemeral = append(s.ephemeral, Ephemeral{r.PathValue("channel"), r.PathValue("user"), m.Text, string(m.Blocks)})
	s.checkText("response_url", m.Text)
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/plain")
	_, _ = io.WriteString(w, "ok")
}
