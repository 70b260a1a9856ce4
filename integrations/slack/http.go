package slack

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
)

// Where Slack sends to; the app's manifest names them.
const (
	EventsPath       = "/slack/events"
	InteractionsPath = "/slack/interactions"
	CommandsPath     = "/slack/commands"
)

// maxRequest bounds a request, in bytes. Slack's are far smaller.
const maxRequest = 256 << 10

// Handler takes what Slack sends over HTTP. It reads no more than it must before
// it knows who it is from, believes only the bytes that were signed, and never
// looks at the query.
func (c *Chat) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+EventsPath, c.verified("application/json", c.serveEvent))
	mux.HandleFunc("POST "+InteractionsPath, c.verified("application/x-www-form-urlencoded", c.serveInteraction))
	mux.HandleFunc("POST "+CommandsPath, c.verified("application/x-www-form-urlencoded", c.serveCommand))
	return mux
}

func (c *Chat) verified(content string, next func(w http.ResponseWriter, r *http.Request, body []byte)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			return
		}
		if err != nil {
			http.Error(w, "unreadable", http.StatusBadRequest)
			return
		}
		if !signed(r.Header, body, c.config.SigningSecrets, c.now()) {
			c.log.WarnContext(r.Context(), "slack: refused an unsigned or stale request", "path", r.URL.Path)
			http.Error(w, "not signed", http.StatusUnauthorized)
			return
		}
		if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != content {
			http.Error(w, "not "+content, http.StatusUnsupportedMediaType)
			return
		}
		next(w, r, body)
	}
}

// serveEvent lets replays through: Slack's own retries look like them, and an
// event's id keeps it from working twice.
func (c *Chat) serveEvent(w http.ResponseWriter, r *http.Request, body []byte) {
	var hello struct {
		Type      string `json:"type"`
		Challenge string `json:"challenge"`
	}
	if json.Unmarshal(body, &hello) != nil {
		http.Error(w, "not JSON", http.StatusBadRequest)
		return
	}
	if hello.Type == "url_verification" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = io.WriteString(w, hello.Challenge)
		return
	}
	retry, _ := strconv.Atoi(r.Header.Get("X-Slack-Retry-Num"))
	c.serve(w, r, happening{kindEvent, body, retry})
}

func (c *Chat) serveInteraction(w http.ResponseWriter, r *http.Request, body []byte) {
	form, err := url.ParseQuery(string(body))
	if err != nil || len(form["payload"]) != 1 {
		http.Error(w, "no payload", http.StatusBadRequest)
		return
	}
	c.serveOnce(w, r, happening{kind: kindPress, payload: []byte(form.Get("payload"))})
}

func (c *Chat) serveCommand(w http.ResponseWriter, r *http.Request, body []byte) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		http.Error(w, "not a form", http.StatusBadRequest)
		return
	}
	fields := map[string]string{}
	for name := range form {
		fields[name] = form.Get(name)
	}
	payload, err := json.Marshal(fields)
	if err != nil {
		http.Error(w, "not a form", http.StatusBadRequest)
		return
	}
	c.serveOnce(w, r, happening{kind: kindCommand, payload: payload})
}

// serveOnce answers a replay without doing anything.
func (c *Chat) serveOnce(w http.ResponseWriter, r *http.Request, h happening) {
	signature := r.Header.Get("X-Slack-Signature")
	if c.replays.again(signature, c.now()) {
		c.log.WarnContext(r.Context(), "slack: the same request came again", "path", r.URL.Path)
		return
	}
	if !c.serve(w, r, h) {
		c.replays.forget(signature)
	}
}

// serve says whether it was taken.
func (c *Chat) serve(w http.ResponseWriter, r *http.Request, h happening) bool {
	ack, err := c.within(r.Context(), h)
	if err != nil {
		http.Error(w, "come again", http.StatusServiceUnavailable)
		return false
	}
	if ack == nil {
		return true
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(ack); err != nil {
		c.log.DebugContext(r.Context(), "slack: could not answer", "error", err)
	}
	return true
}
