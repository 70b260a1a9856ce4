package web

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
)

// Everything that people do goes through here: what they type, press and say,
// from the pages and from the API.

// wish is what one person wants, before the router sees it.
type wish struct {
	incident incidents.ID // 0 outside a room
	line     string       // what to do, or
	button   string       // what was pressed
	once     string       // from the sender: the same one never works twice
	origin   bot.Origin
	chat     string
}

// command parts what was typed into a command and mere words: "/inc ack",
// "/incident ack" and "/ack" are the command ack; "//x" says "/x".
func command(text string) (line string, is bool) {
	text = strings.TrimSpace(text)
	rest, slash := strings.CutPrefix(text, "/")
	if !slash || strings.HasPrefix(rest, "/") {
		return "", false
	}
	return commandLine(text), true
}

// commandLine takes off the name of our one slash command.
func commandLine(text string) string {
	line := strings.TrimPrefix(strings.TrimSpace(text), "/")
	first := line
	if i := strings.IndexAny(line, " \t\n"); i >= 0 {
		first = line[:i]
	}
	if first == "inc" || first == "incident" {
		line = strings.TrimSpace(line[len(first):])
	}
	if line == "" {
		return "help"
	}
	return line
}

// do hands a wish to the router and puts a public answer into the room.
func (s *Server) do(ctx context.Context, v *visit, want wish) (bot.Reply, error) {
	if want.once == "" {
		want.once = rand.Text()
	}
	r := bot.Request{
		Person: v.person, Chat: want.chat, Incident: want.incident, Line: want.line, Lang: v.lang,
		Origin: want.origin, SignedIn: s.signedIn(v),
		// Bound to the person, so that nobody can use up somebody else's.
		Once: nameKey("web", v.person.ID, want.once),
	}
	var reply bot.Reply
	var err error
	failpoint.Hit("web.command.before")
	if want.button != "" {
		reply, err = s.Router.Press(ctx, r, want.button)
	} else {
		reply, err = s.Router.Handle(ctx, r)
	}
	if err != nil {
		return reply, err
	}
	failpoint.Hit("web.command.after")
	if want.incident == 0 || reply.Private || reply.Message == nil {
		return reply, nil
	}
	inc, err := s.load(ctx, v, want.incident)
	if err != nil {
		return reply, err
	}
	m := *reply.Message
	if m.By == "" {
		m.By = bot.Who(v.person)
	}
	return reply, s.post(ctx, roomOf(inc), nameKey("reply", r.Once), body{In: map[string]bot.Message{v.lang: m}})
}

// signedIn is when the person proved who they are in this browser. A token in a
// header proves that a program has it; on one machine nobody proves anything.
func (s *Server) signedIn(v *visit) time.Time {
	switch {
	case v.local:
		return s.Now()
	case v.session != nil:
		return v.session.proved
	}
	return time.Time{}
}

// say puts what a person wrote into the room, once.
func (s *Server) say(ctx context.Context, v *visit, id incidents.ID, text, once string) error {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "//") {
		text = text[1:]
	}
	switch {
	case text == "":
		return incidents.Fail(incidents.Invalid, "web.error.empty", "there is nothing to say")
	case len(text) > maxSaid:
		return incidents.Fail(incidents.TooLarge, "web.error.said_too_long", "at most 8000 bytes at once")
	}
	inc, err := s.load(ctx, v, id)
	if err != nil {
		return err
	}
	if err := s.may(v, bot.Respond, bot.Of(inc.Scope())); err != nil {
		return err
	}
	if once == "" {
		once = rand.Text()
	}
	key := nameKey("said", v.person.ID, once)
	if err := s.post(ctx, roomOf(inc), key, body{Said: &said{By: v.person, Text: text}}); err != nil || s.Talk == nil {
		return err
	}
	// After an error the form is sent again with the same name: it stands here once.
	return s.Talk.Said(ctx, id, incidents.Said{Chat: chat, MessageID: key, By: v.person, Text: text, At: s.Now()})
}

// Talk is told what people say, so that the incident's rooms elsewhere show it.
type Talk interface {
	Said(ctx context.Context, incident incidents.ID, s incidents.Said) error
}

func (s *Server) post(ctx context.Context, room, key string, b body) error {
	raw, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("encode a message: %w", err)
	}
	if _, err := s.Rooms.Post(ctx, room, key, raw, s.Now()); err != nil {
		return fmt.Errorf("post to room %s: %w", room, err)
	}
	return nil
}

// sayForm is the composer of a room.
func (s *Server) sayForm(w http.ResponseWriter, r *http.Request, v *visit) error {
	id, err := incidentID(r)
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	text, once := r.PostForm.Get("text"), r.PostForm.Get("once")
	line, is := command(text)
	if !is {
		if err := s.say(r.Context(), v, id, text, once); err != nil {
			return err
		}
		s.done(w, r, v, id, bot.Reply{})
		return nil
	}
	reply, err := s.do(r.Context(), v, wish{incident: id, line: line, once: once, origin: bot.Typed, chat: chat})
	if err != nil {
		return err
	}
	s.done(w, r, v, id, reply)
	return nil
}

// commandForm is the composer outside a room.
func (s *Server) commandForm(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(r); err != nil {
		return err
	}
	want := wish{line: commandLine(r.PostForm.Get("text")), once: r.PostForm.Get("once"), origin: bot.Typed, chat: chat}
	if button := r.PostForm.Get("button"); button != "" {
		want.button, want.line, want.origin = button, "", bot.Pressed
	}
	reply, err := s.do(r.Context(), v, want)
	if err != nil {
		return err
	}
	s.done(w, r, v, 0, reply)
	return nil
}

// pressForm is every button of a room. The button's id is opaque and carries no
// authority; the router looks up what it stands for.
func (s *Server) pressForm(w http.ResponseWriter, r *http.Request, v *visit) error {
	id, err := incidentID(r)
	if err != nil {
		return err
	}
	if err := parseForm(r); err != nil {
		return err
	}
	button := r.PostForm.Get("button")
	if button == "" || len(button) > 500 {
		return invalid("no button was pressed")
	}
	reply, err := s.do(r.Context(), v, wish{incident: id, button: button, once: r.PostForm.Get("once"), origin: bot.Pressed, chat: chat})
	if err != nil {
		return err
	}
	s.done(w, r, v, id, reply)
	return nil
}

// done answers a form: with a piece for our script, with a page where only the
// asker sees the answer, else by going back to where it was sent from.
func (s *Server) done(w http.ResponseWriter, r *http.Request, v *visit, id incidents.ID, reply bot.Reply) {
	target := "/"
	switch {
	case id > 0:
		target = "/incidents/" + id.String() + "#composer"
	case reply.State != nil && reply.Message == nil:
		target = "/incidents/" + reply.State.ID.String()
	}
	elsewhere := id == 0 && target != "/"
	only := reply.Message != nil && (reply.Private || id == 0)
	switch {
	case v.fragment && elsewhere:
		w.Header().Set("Hikeshi-Location", target)
		w.WriteHeader(http.StatusNoContent)
	case v.fragment && only:
		s.fragment(w, v, http.StatusOK, "message", v.reply(*reply.Message, id))
	case v.fragment:
		w.WriteHeader(http.StatusNoContent)
	case only:
		s.page(w, v, http.StatusOK, "reply", pageData{TitleKey: "web.reply.title", Body: map[string]any{
			"Message": v.reply(*reply.Message, id), "Back": target}})
	default:
		http.Redirect(w, r, target, http.StatusSeeOther)
	}
}
