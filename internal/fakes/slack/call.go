package slack

import (
	"encoding/json"
	"io"
	"math"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

type object = map[string]any

func answer(w http.ResponseWriter, body object) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(body)
}

func no(word string) object { return object{"ok": false, "error": word} }

// call is one method's call: allowed, in time, then carried out.
func (s *Server) call(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("method")
	m, known := Methods[name]
	if !known {
		s.wrong(name, "there is no such method here")
		answer(w, no("unknown_method"))
		return
	}
	args, token, ok := s.args(w, r, name, m)
	if !ok {
		return
	}
	if refused := s.allowed(name, m, args, token); refused != nil {
		answer(w, refused)
		return
	}
	if after := s.tooFast(name, m, args["channel"]); after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(after))
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	lie := s.nextLie(name)
	if lie.before(w) {
		return
	}
	s.mu.Lock()
	out := s.carry(name, args)
	s.mu.Unlock()
	if word, _ := out["error"].(string); word != "" && !slices.Contains(m.Errors, word) {
		s.wrong(name, "the fake answers %s, which the method does not", word)
	}
	if name == "auth.test" {
		w.Header().Set("X-OAuth-Scopes", strings.Join(s.scopes(), ","))
	}
	if !lie.afterwards(s, w, r) {
		answer(w, out)
	}
}

// args reads the arguments, from the body alone: Slack takes no token out of a
// query.
func (s *Server) args(w http.ResponseWriter, r *http.Request, name string, m Method) (args map[string]string, token string, ok bool) {
	if r.Method != http.MethodPost || r.URL.RawQuery != "" {
		s.wrong(name, "%s %s", r.Method, r.URL)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return nil, "", false
	}
	args = map[string]string{}
	token = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case len(body) == 0:
	case kind == "application/json":
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(body, &fields); err != nil {
			answer(w, no("invalid_json"))
			return nil, "", false
		}
		for k, v := range fields {
			args[k] = string(v)
			var text string
			if json.Unmarshal(v, &text) == nil {
				args[k] = text
			}
		}
	default:
		form, err := url.ParseQuery(string(body))
		if err != nil {
			answer(w, no("invalid_form_data"))
			return nil, "", false
		}
		for k := range form {
			args[k] = form.Get(k)
		}
	}
	if t := args["token"]; t != "" {
		token = t
	}
	delete(args, "token")
	for k := range args {
		if !slices.Contains(m.Args, k) {
			s.wrong(name, "it has no argument %s", k)
		}
	}
	for _, k := range m.Needs {
		if args[k] == "" {
			s.wrong(name, "it needs %s", k)
		}
	}
	return args, token, true
}

// allowed says whether the token may call it.
func (s *Server) allowed(name string, m Method, args map[string]string, token string) object {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count[name]++
	want := Token
	if m.AppToken {
		want = AppToken
	}
	scope := m.Scope
	if args["is_private"] == "true" {
		scope = "groups:write"
	}
	switch {
	case s.revoked:
		return no("token_revoked")
	case token == "":
		return no("not_authed")
	case token != want:
		return no("invalid_auth")
	case scope != "" && s.o.Scopes != nil && !slices.Contains(s.o.Scopes, scope):
		return object{"ok": false, "error": "missing_scope", "needed": scope, "provided": strings.Join(s.o.Scopes, ",")}
	}
	return nil
}

// tooFast is how many seconds to wait; 0: none.
func (s *Server) tooFast(name string, m Method, channel string) int {
	if !s.o.Tiers {
		return 0
	}
	n, per, key := m.Tier, time.Minute, name
	if name == "chat.postMessage" {
		n, per, key = 5, 5*time.Second, name+channel
	}
	if n == 0 {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.o.Now()
	lately := slices.DeleteFunc(s.calls[key], func(t time.Time) bool { return now.Sub(t) >= per })
	if len(lately) >= n {
		s.calls[key] = lately
		s.count["429"]++
		return int(math.Ceil((per - now.Sub(lately[0])).Seconds()))
	}
	s.calls[key] = append(lately, now)
	return 0
}

// scopes are those that the token has: without a choice, all that the methods
// and the events need.
func (s *Server) scopes() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.o.Scopes != nil {
		return s.o.Scopes
	}
	all := []string{"app_mentions:read", "commands", "groups:history", "groups:read", "groups:write", "reactions:read"}
	for _, m := range Methods {
		if m.Scope != "" {
			all = append(all, m.Scope)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
