package commands

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

func TestDeclare(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		line, title string
		sev         incidents.Severity
	}{
		{"declare checkout is slow", "checkout is slow", incidents.Sev3},
		{"new SEV1 checkout is down", "checkout is down", incidents.Sev1},
		{"declare p2 \"checkout  is slow\"", "checkout is slow", incidents.Sev2},
		{"create critical path is slow", "critical path is slow", incidents.Sev3},
		{"declare 5 shops are down", "5 shops are down", incidents.Sev3},
		{"宣言 決済が遅い", "決済が遅い", incidents.Sev3},
	} {
		h := newHouse(t)
		reply, err := h.say(bea, c.line)
		if err != nil {
			t.Errorf("%q: %v", c.line, err)
			continue
		}
		if s := reply.State; s.Title != c.title || s.Severity() != c.sev || len(reply.Message.Links) != 1 {
			t.Errorf("%q: %q, %s, links %v", c.line, s.Title, s.Severity(), reply.Message.Links)
		}
	}
	newHouse(t).refused(bea, "declare", incidents.Invalid)
	newHouse(t).refused(bea, "declare SEV1", incidents.Invalid)
}

func TestPeople(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	h.must(cho, "ack")
	for _, c := range []struct {
		line string
		want incidents.Actor
	}{
		{"lead", bea}, {"lead me", bea}, {"lead @cho", cho}, {"lead bea", bea}, {"lead @dan", incidents.Actor{ID: "console:dan", Name: "dan"}},
	} {
		h.must(bea, c.line)
		if got := h.all[42].Commander.By; got != c.want {
			t.Errorf("%q makes %v the commander, want %v", c.line, got, c.want)
		}
	}
	h.must(bea, "assign @cho")
	h.must(bea, "assign me")
	if got := h.all[42].Responders; len(got) != 2 || got[0].By != bea || got[1].By != cho {
		t.Errorf("responders %v", got)
	}
	h.refused(bea, "assign", incidents.Invalid)
}

func TestSimpleWords(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	for _, c := range []struct {
		line string
		kind incidents.EventKind
		says string
	}{
		{"ack", incidents.EventAcked, "You have acknowledged INC-42."},
		{"sev 2", incidents.EventSeverity, "INC-42 is SEV2 now."},
		{`note it's  "odd"`, incidents.EventNoted, "Noted in INC-42."},
		{"close rolled back", incidents.EventResolved, "INC-42 is resolved."},
		{"reopen slow again", incidents.EventReopened, "INC-42 is open again."},
	} {
		h.now = h.now.Add(time.Second)
		if got := h.must(bea, c.line); got.Text != c.says {
			t.Errorf("%q says %q, want %q", c.line, got.Text, c.says)
		}
		log := h.log[42]
		if last := log[len(log)-1]; last.Kind != c.kind || last.By != bea {
			t.Errorf("%q made %s by %v, want %s", c.line, last.Kind, last.By, c.kind)
		}
	}
	var texts []string
	for _, e := range h.log[42] {
		if e.Text != "" {
			texts = append(texts, e.Text)
		}
	}
	if want := []string{`it's  "odd"`, "rolled back", "slow again"}; !slices.Equal(texts, want) {
		t.Errorf("texts %q, want %q", texts, want)
	}
	h.refused(bea, "severity", incidents.Invalid)
	h.refused(bea, "severity terrible", incidents.Invalid)
	h.refused(bea, "note", incidents.Invalid)
}

func TestVote(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	for _, c := range []struct {
		line  string
		value int
	}{{"vote 1 up", 1}, {"vote restart-web 👎 wrong cause", -1}, {"vote 1 +1", 1}, {"vote 1 none", 0}} {
		h.must(bea, c.line)
		if got := h.all[42].Votes["restart-web"][bea.ID]; got != c.value {
			t.Errorf("%q: %d, want %d", c.line, got, c.value)
		}
	}
	h.refused(bea, "vote", incidents.NotFound)
	h.refused(bea, "vote 1", incidents.Invalid)
	h.refused(bea, "vote 1 sideways", incidents.Invalid)
	h.refused(bea, "vote 9 up", incidents.NotFound)
}

func TestLooking(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	h.must(bea, "ack")
	for line, want := range map[string]string{
		"status": "HighErrorRate", "alerts": "{alertname=\"HighErrorRate\", service=\"web\"}", "timeline": "bea acknowledged",
		"timeline 1": "earlier lines are not shown", "suggest": "Do restart-web", "why": "same service (web)", "why 1": "+0.42",
		"postmortem": "# Postmortem of INC-42", "help": "approve [rank|action|request:N]", "help sev": "/inc sev 1", "list": "INC-42",
		"list all nothing": "None.", "diagnose": "run once more",
	} {
		if got := flat(h.must(bea, line)); !strings.Contains(got, want) {
			t.Errorf("%q does not show %q:\n%s", line, want, got)
		}
	}
	if want := []incidents.EffectKind{incidents.DoDiagnose, incidents.DoRank}; !sameSet(h.asks, want) {
		t.Errorf("asked for %v, want %v", h.asks, want)
	}
	h.refused(bea, "why 9", incidents.NotFound)
	h.refused(bea, "help dance", incidents.NotFound)
}

func sameSet(a, b []incidents.EffectKind) bool {
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}

// flat is everything that a message says.
func flat(m *bot.Message) string {
	parts := []string{m.Title, m.Text}
	for _, f := range m.Fields {
		parts = append(parts, f.Name, f.Value)
	}
	for _, c := range m.Checks {
		parts = append(parts, c.Name, c.Value)
	}
	for _, it := range m.Items {
		parts = append(parts, it.Title, it.Evidence)
	}
	for _, c := range m.Code {
		parts = append(parts, c.Text)
	}
	return strings.Join(parts, "\n")
}

// TestOnce: a chat that repeats an event does not do it twice.
func TestOnce(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	for range 3 {
		_, err := h.router.Handle(t.Context(), bot.Request{Person: bea, Incident: 42, Line: "note again", Lang: "en", Once: "slack:Ev1"})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := h.all[42].Notes; n != 1 {
		t.Errorf("%d notes, want 1", n)
	}
}

// TestButtonsOfARoom presses every button that a room shows, as a chat would.
func TestButtonsOfARoom(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	h.must(bea, "run 2")
	h.must(bea, "deny") // so that pressing Approve finds a request of its own
	h.must(bea, "run 2")
	pressed := map[string]bool{}
	for _, m := range bot.Room(h.all[42], h.log[42], "en", h.now, bot.Links{}) {
		buttons := m.Buttons
		for _, it := range m.Items {
			buttons = append(buttons, it.Buttons...)
		}
		for _, b := range buttons {
			h := withIncident(t)
			h.must(bea, "run 2")
			h.must(bea, "deny")
			h.must(bea, "run 2")
			who := cho
			if b.Label == "Withdraw" {
				who = bea // who asked
			}
			reply, err := h.router.Press(t.Context(), bot.Request{Person: who, Chat: "console", Incident: 42, Lang: "en"}, b.ID)
			if err != nil {
				t.Errorf("%s (%s): %v", b.Label, b.ID, err)
			}
			if reply.Message != nil && b.Label != "Why?" && b.Label != "👎" {
				t.Errorf("%s answers %q, though the room shows it", b.Label, reply.Message.Text)
			}
			pressed[b.Label] = true
		}
	}
	for _, want := range []string{"Acknowledge", "Take command", "Resolve", "Approve & run", "Approve", "Deny", "Withdraw", "👍", "👎", "Why?"} {
		if !pressed[want] {
			t.Errorf("no button %s was seen", want)
		}
	}
}

// TestInventory: every verb has a right, is explained in both languages, has an
// example that works the way it is written, and is refused to nobody, to the
// bot and to whoever has no right.
func TestInventory(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	closed, err := bot.NewRouter(bot.RouterOptions{Commands: h.router.Commands(), Rights: refuseAll{}, Incidents: h.memory, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"declare", "list", "status", "ack", "severity", "assign", "lead", "note", "todo", "pin", "room", "timeline", "alerts", "diagnose", "similar", "changes", "logs", "graph", "useful", "suggest", "why", "vote",
		"run", "approve", "deny", "withdraw", "settle", "freeze", "trust", "learn", "ticket", "resolve", "reopen", "postmortem", "draft", "help",
	}
	var got []string
	for _, c := range h.router.Commands() {
		got = append(got, c.Name)
		for _, lang := range phrases.Languages {
			if !phrases.Has(c.Help) || phrases.T(lang, c.Help) == c.Help {
				t.Errorf("%s is not explained in %s", c.Name, lang)
			}
		}
		if !strings.HasPrefix(c.Usage, c.Name) || len(c.Example) == 0 {
			t.Errorf("%s: usage %q, examples %q", c.Name, c.Usage, c.Example)
		}
		for _, line := range append(c.Example, c.Aliases...) {
			for who, r := range map[string]*bot.Router{"nobody": h.router, "somebody without a right": closed} {
				q := bot.Request{Incident: 42, Line: line, Lang: "en"}
				if who != "nobody" {
					q.Person = bea
				}
				_, err := r.Handle(t.Context(), q)
				if code := incidents.CodeOf(err); code != incidents.Unauthenticated && code != incidents.Forbidden {
					t.Errorf("%q by %s: %v, want a refusal of the person", line, who, err)
				}
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the verbs are %v, want %v", got, want)
	}
	if n := len(h.log[42]); n != 2 {
		t.Errorf("refused commands wrote %d events", n-2)
	}
}

type refuseAll struct{ bot.Open }

func (refuseAll) May(incidents.Actor, bot.Right, bot.Where) error {
	return incidents.Fail(incidents.Forbidden, "error.right", "no", "right", "any")
}
