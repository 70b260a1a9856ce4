package tracker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
)

var (
	noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	bea  = incidents.Actor{ID: "slack:T1/U1", Name: "bea"}
	joe  = incidents.Actor{ID: "jira:joe", Name: "joe"}
)

// desk is a tracker with one project, and the incident whose ticket is in it.
type desk struct {
	t       *testing.T
	s       *incidents.Incident
	log     []incidents.Event
	now     time.Time
	syncer  tracker.Syncer
	inbox   tracker.Inbox
	opened  int
	fail    error // what the tracker answers, if set
	tasks   []string
	gone    string // the task that was deleted there
	crash   string // a commit whose name ends in it fails
	wall    string // no comment gets in with this in it
	state   map[string]string
	said    []string
	typed   []string
	once    map[string]bool
	updates [][]tracker.Field
}

func newDesk(t *testing.T) *desk {
	d := &desk{t: t, s: &incidents.Incident{}, now: noon, state: map[string]string{}, once: map[string]bool{}}
	d.syncer = tracker.Syncer{Name: "jira", Tracker: d, Directory: d, Lang: "en", Now: func() time.Time { return d.now }}
	d.inbox = tracker.Inbox{Name: "jira", Owner: d, Mover: d, Router: d, Lang: "en"}
	a := incidents.Alert{Labels: incidents.LabelsFromMap(map[string]string{"alertname": "HighErrorRate", "service": "shop"}), StartsAt: noon}
	d.do(incidents.Open{ID: 42, Source: "test", Alerts: []incidents.Alert{a}, Keys: []incidents.Key{a.Fingerprint()}, Grouping: incidents.Grouping{Key: incidents.KeyOf("g")}})
	return d
}

func (d *desk) do(cmd incidents.Command) {
	d.t.Helper()
	events, _, err := incidents.Advance(d.s, cmd, d.now, incidents.Policy{})
	if err != nil {
		d.t.Fatal(err)
	}
	d.log = append(d.log, events...)
}

func (d *desk) sync() error {
	d.t.Helper()
	ticket, err := d.syncer.Sync(d.t.Context(), d.s, d.log)
	d.do(incidents.TicketSynced{Tracker: "jira", Ticket: ticket})
	return err
}

func (d *desk) Open(_ context.Context, t bot.Ticket) (tracker.Ref, error) {
	if d.fail != nil {
		return tracker.Ref{}, d.fail
	}
	d.opened++
	d.state["summary"] = t.Summary
	return tracker.Ref{Key: "OPS-1", URL: "https://jira.example.com/browse/OPS-1", Status: "To Do"}, nil
}

func (d *desk) Update(_ context.Context, key string, t bot.Ticket, fields []tracker.Field) (tracker.Ref, error) {
	if d.fail != nil {
		return tracker.Ref{}, d.fail
	}
	d.updates = append(d.updates, fields)
	for _, f := range fields {
		d.state[string(f)] = map[tracker.Field]string{tracker.Status: string(t.State), tracker.Priority: t.Severity.String(), tracker.Assignee: t.Assignee.Name}[f]
	}
	return tracker.Ref{Key: key, Status: string(t.State)}, nil
}

func (d *desk) Comment(_ context.Context, _ string, c bot.TicketComment) error {
	if d.fail != nil {
		return d.fail
	}
	if d.wall != "" && strings.Contains(c.Text, d.wall) {
		return incidents.Fail(incidents.Forbidden, "error.no_tracker", "403 of a firewall", "tracker", "jira")
	}
	d.said = append(d.said, c.Text)
	return nil
}

func (d *desk) Task(_ context.Context, _ string, t bot.TicketTask) (tracker.Ref, error) {
	d.tasks = append(d.tasks, fmt.Sprint(t.Key, " ", t.N, " done: ", t.Done))
	if d.gone != "" && t.Key == d.gone {
		return tracker.Ref{}, incidents.Fail(incidents.NotFound, "error.no_tracker", "404", "tracker", "jira")
	}
	return tracker.Ref{Key: fmt.Sprint("OPS-", 1+t.N)}, nil
}

func (d *desk) Find(_ context.Context, key string) (tracker.Ref, error) {
	return tracker.Ref{Key: key}, nil
}

func (d *desk) Put(context.Context, string, incidents.ID) error { return nil }

func (d *desk) Incident(_ context.Context, key string) (incidents.ID, bool, error) {
	return 42, key == "OPS-1" || key == "OPS-2", nil
}

func (d *desk) Do(_ context.Context, _ incidents.ID, once string, cmd incidents.Command) (*incidents.Incident, error) {
	if d.crash != "" && strings.HasSuffix(once, d.crash) {
		return nil, errors.New("the process ends here")
	}
	if !d.once[once] {
		d.once[once] = true
		d.do(cmd)
	}
	return d.s, nil
}

func (d *desk) Happened(_ context.Context, _ incidents.ID, once string) (bool, error) {
	return d.once[once], nil
}

func (d *desk) Load(context.Context, incidents.ID) (*incidents.Incident, error) { return d.s, nil }

func (d *desk) Handle(_ context.Context, q bot.Request) (bot.Reply, error) {
	if d.once[q.Once] {
		return bot.Reply{}, nil
	}
	d.once[q.Once] = true
	d.typed = append(d.typed, q.Person.Name+": "+q.Line)
	switch q.Line {
	case "resolve":
		d.do(incidents.Resolve{By: bea}) // she has an account in both places
	case "reopen":
		d.do(incidents.Reopen{By: bea})
	case "ack":
		d.do(incidents.Ack{By: q.Person})
	case "severity SEV1":
		d.do(incidents.SetSeverity{By: q.Person, Severity: incidents.Sev1})
	}
	return bot.Reply{}, nil
}

func (d *desk) want(what string, got, want any) {
	d.t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		d.t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// One ticket, each comment once, and only what changed is told again.
func TestATicketFollowsItsIncident(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for range 3 {
		if err := d.sync(); err != nil {
			t.Fatal(err)
		}
	}
	d.want("tickets", d.opened, 1)
	d.want("updates", d.updates, [][]tracker.Field{{tracker.Status, tracker.Assignee}})
	d.updates = nil
	d.do(incidents.Ack{By: bea})
	d.do(incidents.Note{By: bea, Text: "looking at {code}"})
	for range 2 {
		if err := d.sync(); err != nil {
			t.Fatal(err)
		}
	}
	d.want("state", d.state["status"], "doing")
	d.want("comments", len(d.said), 2)
	if !strings.Contains(d.said[1], "looking at {code}") {
		t.Error(d.said)
	}
	if len(d.updates) != 1 || !slices.Contains(d.updates[0], tracker.Status) {
		t.Error(d.updates)
	}
}

// An attempt that failed half-way goes on where it stopped; what is refused
// for good is shown, does not fail, and is forgotten when it works.
func TestWhatATrackerRefuses(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.fail = incidents.Fail(incidents.Invalid, "error.no_tracker", "no such project", "tracker", "jira")
	if err := d.sync(); err != nil {
		t.Fatal("a refusal is no failure:", err)
	}
	d.want("problem", d.s.Tickets["jira"].Problem.Phrase, "error.no_tracker")
	d.fail = &incidents.Later{After: time.Minute, Err: errors.New("429")}
	if err := d.sync(); err == nil {
		t.Fatal("to be tried again, and no error")
	}
	d.want("problem", d.s.Tickets["jira"].Problem.Phrase, "error.no_tracker")
	d.fail = incidents.Fail(incidents.Unauthenticated, "error.tracker_unauthenticated", "401")
	if later, ok := errors.AsType[*incidents.Later](d.sync()); !ok || !later.Alone || later.After < time.Minute {
		t.Errorf("a token may be mended, and it is not tried again: %+v", later)
	}
	d.want("problem", d.s.Tickets["jira"].Problem.Phrase, "error.tracker_unauthenticated")
	d.fail = nil
	if err := d.sync(); err != nil {
		t.Fatal(err)
	}
	if got := d.s.Tickets["jira"]; got.Key != "OPS-1" || got.Problem.Phrase != "" {
		t.Errorf("%+v", got)
	}
}

// What a person changes in the tracker moves the incident, once, under the same
// rights as a typed command, and is not told back.
func TestAChangeInTheTracker(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if err := d.sync(); err != nil {
		t.Fatal(err)
	}
	d.updates, d.now = nil, noon.Add(time.Minute)
	c := tracker.Change{Key: "OPS-1", ID: "h1", By: joe, At: d.now, State: bot.TicketDoing, StatusWord: "In Progress", Severity: incidents.Sev1, Assignee: `Jo "J" Doe`, Comment: &tracker.Comment{ID: "7", Text: "on it"}}
	for range 2 {
		if err := d.inbox.Changed(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	d.want("typed", d.typed, []string{"joe: ack", "joe: severity SEV1", `joe: lead "Jo J Doe"`})
	d.want("status", d.s.Tickets["jira"].Status, "In Progress")
	if err := d.sync(); err != nil {
		t.Fatal(err)
	}
	for _, fields := range d.updates {
		if slices.Contains(fields, tracker.Status) || slices.Contains(fields, tracker.Priority) {
			t.Error("told back:", fields)
		}
	}
	d.want("comments told back", d.said, []string{})
	if err := d.inbox.Changed(t.Context(), tracker.Change{Key: "OPS-999", ID: "h2", By: joe, State: bot.TicketDone}); err != nil || !d.s.Status().Open() {
		t.Error("a stranger's ticket:", err)
	}
}

// Whoever spoke last wins; the bot waits five minutes before it speaks against
// a person.
func TestWhoWins(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	if err := d.sync(); err != nil {
		t.Fatal(err)
	}
	d.now = noon.Add(time.Minute)
	d.do(incidents.TicketTouched{Tracker: "jira", Field: "status", At: d.now, Status: "Waiting"})
	d.now = noon.Add(2 * time.Minute)
	d.do(incidents.Resolve{By: incidents.Bot})
	if err := d.sync(); err != nil {
		t.Fatal(err)
	}
	d.want("the bot within five minutes", d.state["status"], "todo")
	d.now = noon.Add(7 * time.Minute)
	if err := d.sync(); err != nil {
		t.Fatal(err)
	}
	d.want("the bot afterwards", d.state["status"], "done")
	d.do(incidents.TicketTouched{Tracker: "jira", Field: "status", At: d.now, Status: "Waiting"})
	d.now = d.now.Add(time.Second)
	d.do(incidents.Reopen{By: bea})
	if err := d.sync(); err != nil {
		t.Fatal(err)
	}
	d.want("a later person", d.state["status"], "todo")
}
