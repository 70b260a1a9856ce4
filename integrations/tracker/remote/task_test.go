package remote_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/fakes/lies"
)

var writer = incidents.Actor{ID: "slack:T1/U1", Name: "bea"}

// below are the tasks of the first ticket, by what of two they say.
func (g *game) below() map[string][]ticket {
	all := map[string][]ticket{}
	for _, i := range g.tickets() {
		for _, words := range []string{"raise the limit", "alert sooner"} {
			if i.parent == g.sys.first && strings.HasPrefix(i.text, "[INC-42] "+words) {
				all[words] = append(all[words], i)
			}
		}
	}
	return all
}

// Each follow-up is one task of its ticket, whatever the tracker does and wherever
// the process is killed, and is done when it is.
func TestFollowUpsAreTasks(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, sys system) {
		for at, dead := len(sys.name)%3+1, true; dead; at += 7 { // they share the points
			g := newClosed(t, sys)
			g.life(&plug{})
			g.must(incidents.AddTodo{By: writer, Text: "raise the limit " + nasty}, incidents.AddTodo{By: writer, Text: "alert sooner"})
			if at < 11 {
				g.fake().Tell([]lies.Lie{lies.DoneFail, lies.DoneCut}[at/7], 1, "POST", sys.creates, "")
			}
			dead = g.life(&plug{at: at, after: at%4 > 1})
			g.must(incidents.EndTodo{By: writer, N: 2})
			dead = g.life(&plug{}) || dead
			tasks := g.below()
			if len(tasks) != 2 || len(g.tickets()) != 3 {
				t.Fatalf("killed at %d: %d tickets, tasks %v, %+v", at, len(g.tickets()), tasks, g.s.Tickets)
			}
			for words, want := range map[string]bot.TicketState{"raise the limit": bot.TicketTodo, "alert sooner": bot.TicketDone} {
				if all := tasks[words]; len(all) != 1 || all[0].state != want {
					t.Errorf("killed at %d: %s: %+v", at, words, all)
				}
			}
			before := g.fake().Written()
			g.life(&plug{})
			if n := g.fake().Written(); n != before {
				t.Errorf("killed at %d: %d writes when all was told", at, n-before)
			}
		}
	})
}

// Where nothing can be tied to a ticket, a follow-up is there all the same.
func TestWhereATicketHasNoChildren(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, sys system) {
		for _, known := range []bool{true, false} { // before the project was read, or after
			g := newClosed(t, sys)
			if known {
				g.life(&plug{})
			}
			g.noChildren()
			g.must(incidents.AddTodo{By: writer, Text: "alert sooner"})
			for range 2 {
				if err := g.told(g.k); err != nil {
					t.Fatal(err)
				}
			}
			all := g.tickets()
			if len(all) != 2 || !strings.Contains(all[1].text, "INC-42") || g.s.Tickets[sys.name].Problem.Phrase != "" {
				t.Errorf("%+v %+v", all, g.s.Tickets)
			}
			if sys.name == "backlog" && all[1].parent != sys.first {
				t.Errorf("its words do not lead to the ticket: %s", all[1].text)
			}
		}
	})
}

// Who ticks a task off there has done the follow-up, and it is not told back. What
// was noted of its making may be gone by then, and the twin of a ticket it never is.
func TestATaskDoneThere(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, sys system) {
		g := newClosed(t, sys)
		g.must(incidents.AddTodo{By: writer, Text: "alert sooner"})
		g.life(&plug{})
		g.store.docs = map[string]incidents.Document{}
		k := g.another(nil)
		_ = k.Poll(t.Context(), &g.inbox)
		for _, to := range []bot.TicketState{bot.TicketDone, bot.TicketDoing, bot.TicketDone} {
			g.wait(time.Minute)
			g.act("joe", g.s.Tickets[sys.name].Tasks[0].Key, act{state: to})
			g.wait(time.Minute)
			if err := k.Poll(t.Context(), &g.inbox); err != nil {
				t.Fatal(err)
			}
			if done := g.s.Todos[0].Done != nil; done != (to == bot.TicketDone) {
				t.Errorf("%s: done is %v", to, done)
			}
			before := g.fake().Written()
			g.life(&plug{})
			if n := g.fake().Written(); n != before {
				t.Errorf("%s: told back", to)
			}
		}
		g.wait(time.Second) // a word of ours after theirs
		ticket := g.s.Tickets[sys.name]
		ticket.Tasks = nil
		g.must(incidents.TicketSynced{Tracker: sys.name, Ticket: ticket}, incidents.EndTodo{By: writer, N: 1, Open: true})
		g.life(&plug{})
		if all := g.below()["alert sooner"]; len(all) != 1 || all[0].state != bot.TicketTodo || len(g.tickets()) != 2 {
			t.Errorf("an old task was not found again: %+v", g.tickets())
		}
		if s := k.Stats(); s.Healed != 0 {
			t.Errorf("%+v", s)
		}
	})
}
