package bot

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// loader has one incident.
type loader struct{ s *incidents.Incident }

func (l loader) Load(_ context.Context, id incidents.ID) (*incidents.Incident, error) {
	if l.s == nil || id != l.s.ID {
		return nil, incidents.Fail(incidents.NotFound, "error.no_incident", "there is no such incident")
	}
	return l.s, nil
}

// heard is what a command was given.
type heard struct {
	verb string
	r    Request
	args []string
}

// setUp makes a router over commands that only listen.
func setUp(t *testing.T, rights Rights) (*Router, *[]heard, *bytes.Buffer) {
	t.Helper()
	got, log := &[]heard{}, &bytes.Buffer{}
	listen := func(verb string) func(context.Context, Request, []string) (Reply, error) {
		return func(_ context.Context, r Request, args []string) (Reply, error) {
			*got = append(*got, heard{verb, r, args})
			return Reply{}, nil
		}
	}
	var commands []Command
	for _, c := range []Command{
		{Name: "ack", Right: Respond, Room: true}, {Name: "approve", Right: ApproveRuns, Room: true}, {Name: "deny", Right: ApproveRuns, Room: true},
		{Name: "note", Right: Respond, Room: true, Text: true}, {Name: "list", Right: View}, {Name: "help", Right: View},
		{Name: "status", Right: View, Room: true}, {Name: "declare", Aliases: []string{"new"}, Right: Respond, Text: true},
		{Name: "vote", Right: Respond, Room: true}, {Name: "lead", Right: Respond, Room: true}, {Name: "resolve", Aliases: []string{"close"}, Right: Respond, Room: true},
		{Name: "reopen", Right: Respond, Room: true}, {Name: "postmortem", Right: View, Room: true}, {Name: "why", Right: View, Room: true},
	} {
		c.Run = listen(c.Name)
		commands = append(commands, c)
	}
	commands = append(commands,
		Command{Name: "panic", Right: View, Run: func(context.Context, Request, []string) (Reply, error) { panic("secret of the house") }},
		Command{Name: "break", Right: View, Run: func(context.Context, Request, []string) (Reply, error) {
			return Reply{}, errors.New("dial tcp 10.0.0.7")
		}})
	r, err := NewRouter(RouterOptions{
		Commands: commands, Rights: rights, Incidents: loader{voted(t).s},
		Logger: slog.New(slog.NewTextHandler(log, nil)), Reference: func() string { return "abcd1234" },
	})
	if err != nil {
		t.Fatal(err)
	}
	return r, got, log
}

func TestHandle(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		line     string
		room     incidents.ID
		verb     string
		incident incidents.ID
		args     string
		rest     string
	}{
		{"ack", 42, "ack", 42, "", ""},
		{"/inc close all good", 42, "resolve", 42, "all|good", "all good"},
		{"ack 42", 0, "ack", 42, "", ""},
		{"ack INC-42", 0, "ack", 42, "", ""},
		{"#42 approve 1", 0, "approve", 42, "1", "1"},
		{"approve 1", 42, "approve", 42, "1", "1"}, // in a room a bare number is a rank
		{"approve #42 1", 42, "approve", 42, "1", "1"},
		{"note #42 looks the same", 42, "note", 42, "#42|looks|the|same", "#42 looks the same"},
		{"note 42 looks the same", 0, "note", 42, "looks|the|same", "looks the same"},
		{"new SEV1 it burns", 42, "declare", 42, "SEV1|it|burns", "SEV1 it burns"},
		{"", 0, "help", 0, "", ""},
		{"", 42, "status", 42, "", ""},
		{"42", 0, "status", 42, "", ""},
	} {
		r, got, _ := setUp(t, Open{})
		if _, err := r.Handle(t.Context(), Request{Person: bea, Incident: c.room, Line: c.line, Lang: "en"}); err != nil {
			t.Errorf("%q: %v", c.line, err)
			continue
		}
		h := (*got)[0]
		if h.verb != c.verb || h.r.Incident != c.incident || strings.Join(h.args, "|") != c.args || h.r.Rest != c.rest {
			t.Errorf("%q in room %d: %s of %d with %q, rest %q", c.line, c.room, h.verb, h.r.Incident, h.args, h.r.Rest)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, line string
		person     incidents.Actor
		lang       string
		code       incidents.Code
		says       string
	}{
		{"a typo", "akc", bea, "en", incidents.Invalid, "There is no command “akc”. Did you mean “ack”?\nTry: /inc ack"},
		{"a typo, in Japanese", "akc", bea, "ja", incidents.Invalid, "「akc」というコマンドはありません。「ack」ではありませんか。\n入力例: /inc ack"},
		{"no such verb", "dance", bea, "en", incidents.Invalid, "There is no command “dance”.\nTry: /inc help"},
		{"no incident", "ack", bea, "en", incidents.Invalid, "Which incident? Outside a war room, name it.\nTry: /inc ack INC-42"},
		{"an unknown incident", "7 ack", bea, "en", incidents.NotFound, "There is no such incident."},
		{"nobody", "list", incidents.Actor{}, "en", incidents.Unauthenticated, "We do not know who you are. Sign in first."},
		{"the bot itself", "list", incidents.Bot, "en", incidents.Unauthenticated, "We do not know who you are. Sign in first."},
		{"an alert source", "42 approve", incidents.SourceActor("x"), "en", incidents.Unauthenticated, "We do not know who you are. Sign in first."},
		{"a panic", "panic", bea, "en", incidents.Internal, "Internal error. The log has the details under abcd1234."},
		{"an error without words", "break", bea, "ja", incidents.Internal, "内部エラーです。詳細はログの abcd1234 を参照してください。"},
	} {
		r, got, log := setUp(t, Open{})
		reply, err := r.Handle(t.Context(), Request{Person: c.person, Line: c.line, Lang: c.lang})
		if len(*got) > 0 {
			t.Errorf("%s: it ran all the same", c.name)
		}
		if code := incidents.CodeOf(err); err == nil || code != c.code {
			t.Errorf("%s: code %q (%v), want %q", c.name, code, err, c.code)
		}
		if reply.Message == nil || !reply.Private || reply.Message.Text != c.says {
			t.Errorf("%s: says %+v, want %q", c.name, reply.Message, c.says)
		}
		if c.code == incidents.Internal && !strings.Contains(log.String(), "reference=abcd1234") {
			t.Errorf("%s: the log does not have the reference:\n%s", c.name, log)
		}
	}
}

// none refuses everybody everything.
type none struct{ Open }

func (none) May(_ incidents.Actor, right Right, _ Where) error {
	return incidents.Fail(incidents.Forbidden, "error.right", "no", "right", string(right))
}

// perService allows what concerns one service.
type perService string

func (perService) Who(p incidents.Actor) incidents.Actor { return p }

func (p perService) May(_ incidents.Actor, right Right, where Where) error {
	if where == Of(incidents.Scope{Service: string(p)}) {
		return nil
	}
	return none{}.May(incidents.Actor{}, right, where)
}

// TestOneChokepoint: whichever way a wish comes, the rights are asked, and
// with what the incident is about.
func TestOneChokepoint(t *testing.T) {
	t.Parallel()
	button := press{incident: 42, verb: pressApproveAction, ref: "shop-restart", check: restartPlan().Digest}.encode()
	ways := map[string]func(*Router) (Reply, error){
		"typed": func(r *Router) (Reply, error) {
			return r.Handle(t.Context(), Request{Person: bea, Incident: 42, Line: "approve 1"})
		},
		"pressed": func(r *Router) (Reply, error) {
			return r.Press(t.Context(), Request{Person: bea, Incident: 42}, button)
		},
		"reacted": func(r *Router) (Reply, error) {
			return r.React(t.Context(), Request{Person: bea, Incident: 42}, Reaction{Key: "suggestions", Emoji: "👍"})
		},
	}
	for way, try := range ways {
		r, got, log := setUp(t, none{})
		if _, err := try(r); incidents.CodeOf(err) != incidents.Forbidden || len(*got) > 0 {
			t.Errorf("%s: %v, ran %d times", way, err, len(*got))
		}
		if !strings.Contains(log.String(), "command refused") || !strings.Contains(log.String(), "console:bea") {
			t.Errorf("%s: the refusal is not in the log:\n%s", way, log)
		}
		r, got, log = setUp(t, perService("checkout"))
		if _, err := try(r); err != nil || len(*got) != 1 {
			t.Errorf("%s: the right for its service does not count: %v", way, err)
		}
		if !strings.Contains(log.String(), "command done") {
			t.Errorf("%s: what was done is not in the log:\n%s", way, log)
		}
		r, got, _ = setUp(t, perService("payment"))
		if _, err := try(r); err == nil || len(*got) > 0 {
			t.Errorf("%s: the right for another service counts", way)
		}
	}
}

// TestPress: a button does what it says, in its own room only.
func TestPress(t *testing.T) {
	t.Parallel()
	for verb, want := range map[pressVerb]string{
		pressAck: "ack ", pressLead: "lead me", pressResolve: "resolve ", pressReopen: "reopen ", pressPostmortem: "postmortem ",
		pressApproveAction: "approve x plan:0123456789abcdef", pressApproveRequest: "approve request:x plan:0123456789abcdef",
		pressDeny: "deny request:x", pressUp: "vote x up", pressDown: "vote x down", pressWhy: "why x",
		pressWrongCause: "vote x down wrong-cause", pressUnsafeNow: "vote x down unsafe-now", pressTooSlow: "vote x down too-slow", pressNotTheRoot: "vote x down not-the-root",
	} {
		r, got, _ := setUp(t, Open{})
		p := press{incident: 42, verb: verb, ref: "x", check: "0123456789abcdef"}
		if _, err := r.Press(t.Context(), Request{Person: bea, Incident: 42, Line: "resolve", Rest: "smuggled"}, p.encode()); err != nil {
			t.Errorf("%s: %v", verb, err)
			continue
		}
		h := (*got)[0]
		if said := h.verb + " " + strings.Join(h.args, " "); said != want || h.r.Origin != Pressed || h.r.Rest != "" {
			t.Errorf("%s: %q from %s with rest %q, want %q", verb, said, h.r.Origin, h.r.Rest, want)
		}
	}
	r, got, log := setUp(t, Open{})
	for _, room := range []incidents.ID{0, 41, 43} {
		_, err := r.Press(t.Context(), Request{Person: bea, Incident: room}, press{incident: 42, verb: pressAck}.encode())
		if incidents.CodeOf(err) != incidents.Forbidden {
			t.Errorf("pressed in room %d: %v, want forbidden", room, err)
		}
	}
	if _, err := r.Press(t.Context(), Request{Person: bea, Incident: 42}, "h1.16.ack.x'; drop"); incidents.CodeOf(err) != incidents.Invalid {
		t.Errorf("a forged button: %v", err)
	}
	if len(*got) > 0 || strings.Count(log.String(), "command refused") != 4 {
		t.Errorf("ran %d times; the log has:\n%s", len(*got), log)
	}
}

func TestReact(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		key, emoji string
		taken      bool
		want       string
	}{
		{"suggestions", "👍", false, "vote shop-restart up"},
		{"suggestions", "👍🏽", false, "vote shop-restart up"},
		{"suggestions", ":+1::skin-tone-3:", false, "vote shop-restart up"},
		{"suggestions", "thumbsdown", false, "vote shop-restart down"},
		{"suggestions", "👍", true, "vote shop-restart none"}, // bea's vote is up
		{"suggestions", "👎", true, ""},                       // it is not down
		{"run-1", "👎", false, "vote shop-restart down"},
		{"approval-1", "👍", false, "vote shop-restart up"},
		{"run-7", "👍", false, ""},
		{"card", "👀", false, "ack "},
		{"card", "👀", true, ""},
		{"card", "👍", false, ""},
		{"approval-1", "✅", false, ""}, // never an approval
		{"ev-4", "🎉", false, ""},
	} {
		r, got, _ := setUp(t, Open{})
		r.incidents = loader{running(t).s}
		if _, err := r.React(t.Context(), Request{Person: bea, Incident: 42}, Reaction{Key: c.key, Emoji: c.emoji, Taken: c.taken}); err != nil {
			t.Errorf("%s on %s: %v", c.emoji, c.key, err)
		}
		said := ""
		if len(*got) > 0 {
			said = (*got)[0].verb + " " + strings.Join((*got)[0].args, " ")
		}
		if said != c.want {
			t.Errorf("%s on %s (taken: %v): %q, want %q", c.emoji, c.key, c.taken, said, c.want)
		}
	}
}

func TestNewRouterRefuses(t *testing.T) {
	t.Parallel()
	run := func(context.Context, Request, []string) (Reply, error) { return Reply{}, nil }
	log := slog.New(slog.DiscardHandler)
	good := Command{Name: "a", Right: View, Run: run}
	for name, o := range map[string]RouterOptions{
		"no rights":    {Commands: []Command{good}, Incidents: loader{}, Logger: log},
		"no incidents": {Commands: []Command{good}, Rights: Open{}, Logger: log},
		"no logger":    {Commands: []Command{good}, Rights: Open{}, Incidents: loader{}},
		"no right":     {Commands: []Command{{Name: "b", Run: run}}, Rights: Open{}, Incidents: loader{}, Logger: log},
		"one name":     {Commands: []Command{good, {Name: "b", Aliases: []string{"a"}, Right: View, Run: run}}, Rights: Open{}, Incidents: loader{}, Logger: log},
	} {
		if _, err := NewRouter(o); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestOpenKnowsItsRights(t *testing.T) {
	t.Parallel()
	for _, right := range []Right{View, Respond, Lead, ApproveRuns, Output, Administer} {
		if err := (Open{}).May(bea, right, InGeneral); err != nil {
			t.Errorf("%s: %v", right, err)
		}
	}
	for _, right := range []Right{"", "Admin", "anything"} {
		if err := (Open{}).May(bea, right, InGeneral); err == nil {
			t.Errorf("right %q was allowed", right)
		}
	}
}
