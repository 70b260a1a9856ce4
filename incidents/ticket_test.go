package incidents

import (
	"slices"
	"testing"
)

func ticketEffectsOf(effects []Effect) []string {
	var keys []string
	for _, e := range effects {
		if e.Kind == DoSyncTicket {
			keys = append(keys, e.Key)
		}
	}
	return keys
}

func route(t *testing.T, tracker string, match ...string) TicketRoute {
	r := TicketRoute{Tracker: tracker}
	for _, m := range match {
		parsed, err := ParseMatcher(m)
		if err != nil {
			t.Fatal(err)
		}
		r.Match = append(r.Match, parsed)
	}
	return r
}

// The first route that fits decides, by what the incident began with; once it
// has a ticket, that one is brought up to date wherever the routes lead now.
func TestWhereTheTicketIs(t *testing.T) {
	t.Parallel()
	p := Policy{Tickets: []TicketRoute{route(t, "", "service=canary"), route(t, "acme", `service=~"check.*"`), route(t, "rest")}}
	s := &Incident{}
	_, effects, err := Advance(s, opening(Rule{}, firing("HighErrorRate", "", noon)), noon, p)
	if err != nil {
		t.Fatal(err)
	}
	if got := ticketEffectsOf(effects); !slices.Equal(got, []string{"42/ticket/acme"}) {
		t.Fatal(got)
	}
	if _, _, err := Advance(s, TicketSynced{Tracker: "acme", Ticket: Ticket{Key: "A-1"}}, noon, p); err != nil {
		t.Fatal(err)
	}
	elsewhere := Policy{Tickets: []TicketRoute{route(t, "other")}}
	if _, effects, err = Advance(s, Ack{By: bea}, minute(1), elsewhere); err != nil {
		t.Fatal(err)
	}
	if got := ticketEffectsOf(effects); !slices.Equal(got, []string{"42/ticket/acme"}) {
		t.Error(got)
	}
	declared := &Incident{Service: "canary"}
	if got := declared.Tracker(p); got != "" {
		t.Errorf("a service without tickets has one in %q", got)
	}
}

// What an attempt brings back that began before a person chose otherwise
// changes nothing.
func TestAPersonsTicketWins(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{})
	st.must(TicketSynced{Tracker: "jira", Ticket: Ticket{Key: "OPS-1"}}, minute(1))
	st.must(LinkTicket{By: bea, Tracker: "jira", Key: "OPS-7"}, minute(2))
	if got := st.must(TicketSynced{Tracker: "jira", Ticket: Ticket{Key: "OPS-1", LastSeq: 9}}, minute(3)); len(got) != 0 {
		t.Error(kinds(got))
	}
	st.must(TicketSynced{Tracker: "jira", Ticket: Ticket{Key: "OPS-7", Linked: true, LastSeq: 9}}, minute(3))
	st.must(AskTicket{By: bea, Tracker: "jira"}, minute(4))
	if got := st.must(TicketSynced{Tracker: "jira", Ticket: Ticket{Key: "OPS-7", Linked: true, LastSeq: 10}}, minute(5)); len(got) != 0 {
		t.Error(kinds(got))
	}
	st.must(TicketSynced{Tracker: "jira", Ticket: Ticket{Key: "OPS-8", Asked: 1}}, minute(5))
	if got := st.s.Tickets["jira"]; got.Key != "OPS-8" || got.Linked {
		t.Errorf("%+v", got)
	}
	st.must(UnlinkTicket{By: bea, Tracker: "jira"}, minute(6))
	if got := st.must(TicketSynced{Tracker: "jira", Ticket: Ticket{Key: "OPS-8", Asked: 1, LastSeq: 20}}, minute(7)); len(got) != 0 || st.s.Tracker(testPolicy) != "jira" {
		t.Error(kinds(got), st.s.Tracker(testPolicy))
	}
	if got := st.must(AskTicket{By: bea, Tracker: "jira"}, minute(8)); !slices.Equal(kinds(got), []EventKind{EventTicketAsked}) || len(ticketEffects(st.s, minute(8), testPolicy)) != 1 {
		t.Errorf("no ticket is opened after the one that was parted from: %v", kinds(got))
	}
}

// A word that a person said in the tracker while an attempt was under way is
// not forgotten by what the attempt brings back.
func TestWhatWasTouchedThereIsKept(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{})
	st.must(TicketSynced{Tracker: "jira", Ticket: Ticket{Key: "OPS-1"}}, minute(1))
	begun := st.s.Tickets["jira"]
	st.must(TicketTouched{Tracker: "jira", Field: "priority", At: minute(2)}, minute(2))
	begun.LastSeq = 3
	st.must(TicketSynced{Tracker: "jira", Ticket: begun}, minute(3))
	if at := st.s.Tickets["jira"].There["priority"]; !at.Equal(minute(2)) {
		t.Error(at)
	}
	if got := st.must(TicketTouched{Tracker: "jira", Field: "priority", At: minute(1)}, minute(4)); len(got) != 0 {
		t.Error("an older word:", kinds(got))
	}
}

// Five minutes after a person changed something in the tracker it is looked at
// again, also where nothing else happens, whatever sync comes before that.
func TestThePeaceEnds(t *testing.T) {
	t.Parallel()
	p := Policy{Tickets: []TicketRoute{route(t, "jira")}}
	s := &Incident{}
	do := func(at int, cmd Command) []Effect {
		t.Helper()
		_, effects, err := Advance(s, cmd, minute(at), p)
		if err != nil {
			t.Fatal(err)
		}
		return slices.DeleteFunc(effects, func(e Effect) bool { return e.Kind != DoSyncTicket })
	}
	do(0, opening(Rule{}, firing("HighErrorRate", "", noon)))
	do(0, TicketSynced{Tracker: "jira", Ticket: Ticket{Key: "A-1"}})
	end := minute(1).Add(HumanPeace + ticketPace)
	for _, step := range []struct {
		at  int
		cmd Command
	}{
		{1, TicketTouched{Tracker: "jira", Field: "status", At: minute(1)}},
		{4, TicketSynced{Tracker: "jira", Ticket: Ticket{Key: "A-1", LastSeq: 1}}}, // what was touched meanwhile stays touched
		{5, TicketSynced{Tracker: "jira", Ticket: s.Tickets["jira"]}},
	} {
		if got := do(step.at, step.cmd); len(got) != 1 || !got[0].Due.Equal(end) || got[0].Arg != "jira" {
			t.Errorf("after %d minutes: %+v, want one at %s", step.at, got, end)
		}
	}
	if got := do(7, TicketSynced{Tracker: "jira", Ticket: s.Tickets["jira"]}); len(got) != 0 {
		t.Errorf("it is over, and still looked at: %+v", got)
	}
	do(7, TicketTouched{Tracker: "jira", Field: "status", At: minute(7)})
	if got := do(8, UnlinkTicket{By: bea, Tracker: "jira"}); len(got) != 0 {
		t.Errorf("parted, and looked at: %+v", got)
	}
}
