package tracker_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
)

// A comment whose words do not get in keeps no later one out: the ticket says so in
// its place, and the room once. While no comment gets in at all, none is left out.
func TestARefusedCommentIsAlone(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.do(incidents.Note{By: bea, Text: "first"})
	d.do(incidents.Note{By: bea, Text: "' OR 1=1 --"})
	d.do(incidents.Note{By: bea, Text: "third"})
	says := func(problem string, said ...string) {
		t.Helper()
		if err := d.sync(); err != nil {
			t.Fatal(err)
		}
		d.want("problem", d.s.Tickets["jira"].Problem.Phrase, problem)
		if !slices.EqualFunc(d.said, said, strings.Contains) {
			t.Errorf("said %q, want %q", d.said, said)
		}
	}
	d.wall = "r" // that is in all of them, and in what would stand instead
	says("error.no_tracker")
	d.wall = "1=1"
	says("error.ticket_comment", "first", "INC-42", "third")
	if got := d.s.Tickets["jira"]; !strings.Contains(got.Problem.Args["text"], "1=1") || got.LastSeq < 4 {
		t.Errorf("%+v", got)
	}
	says("", "first", "INC-42", "third")
}

// A task that somebody opened again without the right to it stays as they want it
// for five minutes, whatever else is told the tracker meanwhile.
func TestATasksFiveMinutes(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.do(incidents.AddTodo{By: bea, Text: "raise the limit"})
	d.do(incidents.EndTodo{By: bea, N: 1})
	if err := d.sync(); err != nil {
		t.Fatal(err)
	}
	d.now = noon.Add(time.Minute)
	if err := d.inbox.Changed(t.Context(), tracker.Change{Key: "OPS-2", ID: "h1", By: joe, At: d.now, State: bot.TicketTodo}); err != nil {
		t.Fatal(err)
	}
	d.want("typed", d.typed, []string{"joe: todo open 1"})
	for _, later := range []time.Duration{time.Second, incidents.HumanPeace} {
		d.now = noon.Add(time.Minute + later)
		d.do(incidents.Note{By: bea, Text: later.String()})
		if err := d.sync(); err != nil {
			t.Fatal(err)
		}
		told := []string{" 1 done: true"}
		if later == incidents.HumanPeace {
			told = append(told, "OPS-2 1 done: true")
		}
		d.want("told", d.tasks, told)
	}
}

// A crash between what a change in the tracker did here and the note that it was
// that change: told again, it is no word of ours against the next one there.
func TestAChangeWhoseNoteWasLost(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if err := d.sync(); err != nil {
		t.Fatal(err)
	}
	resolved := tracker.Change{Key: "OPS-1", ID: "h1", By: joe, At: noon.Add(time.Minute), State: bot.TicketDone}
	d.now = noon.Add(3 * time.Minute)
	d.crash = "/here"
	if err := d.inbox.Changed(t.Context(), resolved); err == nil {
		t.Fatal("it did not crash")
	}
	d.crash = ""
	if err := d.inbox.Changed(t.Context(), resolved); err != nil {
		t.Fatal(err)
	}
	said := len(d.said)
	if err := d.sync(); err != nil {
		t.Fatal(err)
	}
	d.want("told back", d.said[said:], []string{})
	again := tracker.Change{Key: "OPS-1", ID: "h2", By: joe, At: noon.Add(2 * time.Minute), State: bot.TicketTodo}
	if err := d.inbox.Changed(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	d.want("typed", d.typed, []string{"joe: resolve", "joe: reopen"})
}

// Another ticket gets no second tasks: those that stand below the first one are
// followed from there, and made again only where they went with it.
func TestAnotherTicketKeepsItsTasks(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.do(incidents.AddTodo{By: bea, Text: "raise the limit"})
	d.do(incidents.AddTodo{By: bea, Text: "alert sooner"})
	if err := d.sync(); err != nil {
		t.Fatal(err)
	}
	d.now, d.tasks, d.gone = noon.Add(time.Minute), nil, "OPS-3"
	d.do(incidents.AskTicket{By: bea, Tracker: "jira"})
	for range 2 {
		if err := d.sync(); err != nil {
			t.Fatal(err)
		}
	}
	d.want("told", d.tasks, []string{"OPS-2 1 done: false", "OPS-3 2 done: false", " 2 done: false"})
	if err := d.inbox.Changed(t.Context(), tracker.Change{Key: "OPS-2", ID: "h1", By: joe, At: d.now, State: bot.TicketDone}); err != nil {
		t.Fatal(err)
	}
	d.want("typed", d.typed, []string{"joe: todo done 1"})
	d.do(incidents.LinkTicket{By: bea, Tracker: "jira", Key: "OPS-9"})
	if got := d.s.Tickets["jira"].Tasks; len(got) != 2 {
		t.Errorf("a linked ticket has the tasks %+v", got)
	}
}
