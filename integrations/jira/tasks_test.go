package jira

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/jira"
)

var writer = incidents.Actor{ID: "slack:T1/U1", Name: "bea"}

// below are the tasks of OPS-1 as Jira has them, by their summaries.
func (c *closed) below() map[string][]fake.Issue {
	all := map[string][]fake.Issue{}
	links := c.jira.Links()
	for _, i := range c.jira.Issues() {
		if i.Parent == "OPS-1" || slices.Contains(links, [2]string{i.Key, "OPS-1"}) {
			all[i.Summary] = append(all[i.Summary], i)
		}
	}
	return all
}

// Each follow-up is one task, below its ticket or linked to it, whatever Jira
// does and wherever the process is killed, and is done when it is.
func TestFollowUpsAreTasks(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, flavour Flavour) {
		lie := map[Flavour]fake.Lie{Cloud: fake.DoneFail, DataCenter: fake.DoneCut}[flavour]
		for at, dead := 1, true; dead; at += 3 {
			c := newClosed(t, flavour)
			c.jira.Subtasks = at%2 == 1
			c.jira.Lag = time.Minute
			c.life(&plug{})
			c.do(incidents.AddTodo{By: writer, Text: "raise the limit " + nasty}, incidents.AddTodo{By: writer, Text: "alert sooner"})
			if at < 4 {
				c.jira.Lies(lie, 1, "POST", "issue", "")
			}
			dead = c.life(&plug{at: at, after: at%4 > 1})
			if at%2 == 0 { // nothing is left to do either way
				c.do(incidents.DropTodo{By: writer, N: 2, Why: "the pool goes"})
			} else {
				c.do(incidents.EndTodo{By: writer, N: 2})
			}
			dead = c.life(&plug{}) || dead
			tasks := c.below()
			if len(tasks) != 2 || len(c.jira.Issues()) != 3 {
				t.Fatalf("killed at %d, sub-tasks %v: %d issues, tasks %v, links %v, %+v", at, c.jira.Subtasks, len(c.jira.Issues()), tasks, c.jira.Links(), c.s.Tickets)
			}
			for summary, i := range tasks {
				want := "new"
				if summary == "[INC-42] alert sooner" {
					want = "done"
				}
				if got := fake.CategoryOf(i[0].Status); got != want || len(i) != 1 {
					t.Errorf("killed at %d: %s is %s", at, summary, got)
				}
			}
			before := c.jira.Counts()["written"]
			c.life(&plug{})
			if n := c.jira.Counts()["written"]; n != before {
				t.Errorf("killed at %d: %d writes when all was told", at, n-before)
			}
		}
	})
}

// ticker does what an inbox types.
type ticker struct{ c *closed }

func (k ticker) Handle(_ context.Context, q bot.Request) (bot.Reply, error) {
	var n int
	var word string
	if _, err := fmt.Sscanf(q.Line, "todo %s %d", &word, &n); err != nil {
		k.c.t.Errorf("typed: %s", q.Line)
	}
	k.c.do(incidents.EndTodo{By: q.Person, N: n, Open: word == "open"})
	return bot.Reply{}, nil
}

func (k ticker) Happened(context.Context, incidents.ID, string) (bool, error) { return false, nil }

func (k ticker) Load(context.Context, incidents.ID) (*incidents.Incident, error) { return k.c.s, nil }

func (k ticker) Do(_ context.Context, _ incidents.ID, _ string, cmd incidents.Command) (*incidents.Incident, error) {
	if touched, ok := cmd.(incidents.TicketTouched); !ok || touched.Status != "" {
		k.c.t.Errorf("a task is no ticket: %+v", cmd)
	}
	k.c.do(cmd)
	return k.c.s, nil
}

func (k ticker) Incident(context.Context, string) (incidents.ID, bool, error) { return 42, true, nil }

// Who ticks a task off in Jira has done the follow-up, and it is not told back.
func TestATaskDoneInJira(t *testing.T) {
	t.Parallel()
	c := newClosed(t, Cloud)
	c.jira.Subtasks = true
	c.do(incidents.AddTodo{By: writer, Text: "alert sooner"})
	c.life(&plug{})
	inbox := &tracker.Inbox{Name: "jira", Owner: ticker{c}, Mover: ticker{c}, Router: ticker{c}, Lang: "en"}
	for _, step := range []struct {
		to   string
		done bool
	}{{"Closed", true}, {"In Progress", false}, {"Closed", true}} {
		c.wait(time.Minute)
		_ = c.tracker.Poll(t.Context(), inbox)
		c.jira.Move(fake.Joe, c.s.Tickets["jira"].Tasks[0].Key, step.to)
		c.wait(time.Minute)
		if err := c.tracker.Poll(t.Context(), inbox); err != nil {
			t.Fatal(err)
		}
		if done := c.s.Todos[0].Done != nil; done != step.done {
			t.Errorf("%s: done is %v", step.to, done)
		}
		before := c.jira.Changed(fake.Bot)
		c.life(&plug{})
		if n := c.jira.Changed(fake.Bot); n != before {
			t.Errorf("%s: told back", step.to)
		}
	}
}

// A follow-up that is ticked off when what was noted of its task has long been
// dropped is the task that stands there, also where nobody knows its key.
func TestAnOldTaskIsFoundAgain(t *testing.T) {
	t.Parallel()
	for _, known := range []bool{true, false} {
		c := newClosed(t, Cloud)
		c.jira.Subtasks = true
		c.do(incidents.AddTodo{By: writer, Text: "alert sooner"})
		c.life(&plug{})
		c.store.docs = map[string]incidents.Document{}
		if ticket := c.s.Tickets["jira"]; !known {
			ticket.Tasks = nil
			c.do(incidents.TicketSynced{Tracker: "jira", Ticket: ticket})
		}
		c.do(incidents.EndTodo{By: writer, N: 1})
		c.life(&plug{})
		if tasks := c.below()["[INC-42] alert sooner"]; len(tasks) != 1 || fake.CategoryOf(tasks[0].Status) != "done" {
			t.Errorf("known %v: %d tasks, of %d issues", known, len(tasks), len(c.jira.Issues()))
		}
	}
}

// The last person's word wins for follow-ups too: what was closed in Jira before
// somebody opened it again here, and is heard of only now, is not done; and Jira is
// told so, although it was never told that it was done.
func TestTheLastWordOnATask(t *testing.T) {
	t.Parallel()
	c := newClosed(t, Cloud)
	c.jira.Subtasks = true
	c.do(incidents.AddTodo{By: writer, Text: "alert sooner"})
	c.life(&plug{})
	inbox := &tracker.Inbox{Name: "jira", Owner: ticker{c}, Mover: ticker{c}, Router: ticker{c}, Lang: "en"}
	key := c.s.Tickets["jira"].Tasks[0].Key
	_ = c.tracker.Poll(t.Context(), inbox)
	c.wait(time.Minute)
	c.do(incidents.EndTodo{By: writer, N: 1})
	c.wait(time.Minute)
	c.jira.Move(fake.Joe, key, "Closed")
	c.wait(time.Minute)
	c.do(incidents.EndTodo{By: writer, N: 1, Open: true})
	c.wait(time.Minute)
	if err := c.tracker.Poll(t.Context(), inbox); err != nil {
		t.Fatal(err)
	}
	if c.s.Todos[0].Done != nil {
		t.Error("a word from before ticked it off again")
	}
	c.life(&plug{})
	if got := fake.CategoryOf(c.below()["[INC-42] alert sooner"][0].Status); got != "new" {
		t.Errorf("in Jira it is %s", got)
	}
	// What was opened there after it was closed there is no earlier word than ours for being heard in one go.
	c.wait(time.Minute)
	c.jira.Move(fake.Joe, key, "Closed")
	c.wait(time.Minute)
	closed := tracker.Change{Key: key, ID: "1", By: incidents.Actor{ID: "jira:joe", Name: "joe"}, At: c.clock().Add(-time.Minute), State: bot.TicketDone}
	opened := tracker.Change{Key: key, ID: "2", By: closed.By, At: c.clock().Add(-time.Second), State: bot.TicketTodo}
	for _, change := range []tracker.Change{closed, opened} {
		if err := inbox.Changed(t.Context(), change); err != nil {
			t.Fatal(err)
		}
		if done := c.s.Todos[0].Done != nil; done != (change.State == bot.TicketDone) {
			t.Errorf("%s: done is %v", change.State, done)
		}
	}
}
