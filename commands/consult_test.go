package commands

import (
	"context"
	"testing"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// oracle answers everything with what it was asked.
type oracle struct{ asked []string }

func (o *oracle) Only(_ context.Context, _ *incidents.Incident, kind incidents.ClueKind, words string) incidents.Diagnosed {
	o.asked = append(o.asked, string(kind)+":"+words)
	if words == "nothing" {
		return incidents.Diagnosed{}
	}
	return incidents.Diagnosed{Clues: []incidents.Clue{{Kind: incidents.ClueLog, Item: "log/logs", Title: "out of <memory>", Says: incidents.Because("clue.change_nobody")}}}
}

func (o *oracle) Graph(_ context.Context, _ *incidents.Incident, in, query string, own bool) (incidents.Diagnosed, error) {
	if o.asked = append(o.asked, "graph "+in+":"+query); own {
		o.asked = append(o.asked, "of their own only")
	}
	chart := &incidents.Chart{From: someDay.Unix(), Every: 15, Values: "1,2,3"}
	return incidents.Diagnosed{Clues: []incidents.Clue{{Kind: incidents.ClueGraph, Title: query, Chart: chart, Says: incidents.Because("clue.graph", "now", "3", "low", "1", "high", "3")}}}, nil
}

func TestWhatIsAskedIsAnsweredInTheRoom(t *testing.T) {
	t.Parallel()
	h, o := withIncident(t), &oracle{}
	h.deps.Inquiry = o
	h.route(t)
	for line, want := range map[string]string{
		"similar": "past:", "changes payment": "change:payment", "logs “time out”": `log:"time out"`, "diagnose disk": ":disk",
		`graph rate(x{a="b c"}[1m])`: `graph :rate(x{a="b c"}[1m])`, "graph in:east up": "graph east:up",
		`graph in:"far east" up`: "graph far east:up", "graph in:“far east”  up{a=\"b\"}": `graph far east:up{a="b"}`, `graph in:"far up`: `graph "far:up`,
	} {
		h.must(bea, line)
		if got := o.asked[len(o.asked)-1]; got != want {
			t.Errorf("%q asks for %q, want %q", line, got, want)
		}
		log := h.log[42]
		if e := log[len(log)-1]; e.Kind != incidents.EventConsulted || e.By != bea || len(e.Clues) != 1 {
			t.Errorf("%q leaves %s by %v in the log", line, e.Kind, e.By)
		}
	}
	room := bot.Room(h.all[42], h.log[42], "en", someDay, h.deps.Links)
	charts := 0
	for _, m := range room {
		charts += len(m.Images)
		if len(m.Images) > 0 && (m.By != "bea" || len(m.Checks) != 1) {
			t.Errorf("the graph is %+v", m)
		}
	}
	if charts != 5 {
		t.Errorf("the room shows %d charts", charts)
	}
	h.refused(bea, "graph", incidents.Invalid)
	h.refused(bea, "graph in:east", incidents.Invalid)
}

func TestAWishAskedTwiceIsAskedOnce(t *testing.T) {
	t.Parallel()
	h, o := withIncident(t), &oracle{}
	h.deps.Inquiry = o
	h.route(t)
	for range 2 {
		reply, err := h.router.Handle(t.Context(), bot.Request{Person: bea, Chat: "api", Incident: 42, Line: "logs nothing", Lang: "en", Origin: bot.FromAPI, Once: "x"})
		if err != nil || reply.Message.Text != "Nothing was found." {
			t.Fatalf("%+v, %v", reply.Message, err)
		}
	}
	if len(o.asked) != 1 {
		t.Errorf("asked %q", o.asked)
	}
}

func TestNobodyToAsk(t *testing.T) {
	t.Parallel()
	withIncident(t).refused(bea, "logs", incidents.NotFound)
}

func TestUseful(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	h.move(incidents.Diagnosed{
		Findings: []incidents.Finding{{Check: "web/health", Title: incidents.Text{EN: "It answers"}, OK: true}},
		Clues:    []incidents.Clue{{Kind: incidents.ClueLog, Source: "logs", Item: "log/logs", Title: "a"}, {Kind: incidents.ClueLog, Source: "logs", Item: "log/logs", Title: "b"}},
	})
	list := h.must(bea, "useful")
	if len(list.Items) != 2 || list.Items[1].Title != "New in the log (logs)" {
		t.Fatalf("the items are %+v", list.Items)
	}
	for range 2 { // one person has one vote
		reply, err := h.router.Press(t.Context(), bot.Request{Person: bea, Chat: "slack", Incident: 42, Lang: "en"}, list.Items[1].Buttons[1].ID)
		if err != nil || reply.Message != nil {
			t.Fatalf("%+v, %v", reply, err)
		}
	}
	h.must(cho, "useful 2 no")
	h.must(cho, "useful 1 yes")
	list = h.must(bea, "useful")
	if a, b := list.Items[0], list.Items[1]; a.Up != 1 || a.Down != 0 || b.Up != 0 || b.Down != 2 {
		t.Errorf("the votes are %d/%d and %d/%d", a.Up, a.Down, b.Up, b.Down)
	}
	h.must(cho, "useful 2 none")
	if got := h.all[42].Useful["log/logs"]; len(got) != 1 || got[bea.ID] != -1 {
		t.Errorf("after it was taken back: %v", got)
	}
	h.refused(bea, "useful 3 yes", incidents.NotFound)
	h.refused(bea, "useful 1", incidents.Invalid)
	h.refused(bea, "useful 1 perhaps", incidents.Invalid)
}
