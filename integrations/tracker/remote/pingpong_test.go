package remote_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/internal/fakes/lies"
)

// game is an incident and its ticket, with people at both.
type game struct {
	*house
	s      *incidents.Incident
	log    []incidents.Event
	once   map[string]bool
	key    string
	syncer tracker.Syncer
	inbox  tracker.Inbox
	post   []delivery
	rand   *rand.Rand
	heard  int // events, because of what the ticket told
}

// delivery is a webhook that is under way until then.
type delivery struct {
	*http.Request
	at time.Time
}

func newGame(t *testing.T, sys system, seed uint64) *game {
	g := &game{house: newHouse(t, sys, 0), s: &incidents.Incident{}, once: map[string]bool{}, rand: rand.New(rand.NewPCG(seed, 1))}
	g.syncer = tracker.Syncer{Name: sys.name, Tracker: g.k, Directory: g, Lang: "en", Now: g.clock}
	g.inbox = tracker.Inbox{Name: sys.name, Owner: g, Mover: g, Router: g, Lang: "en"}
	a := incidents.Alert{Labels: incidents.LabelsFromMap(map[string]string{"alertname": "HighErrorRate", "service": "shop"}), StartsAt: noon}
	if err := g.do(incidents.Open{ID: 42, Source: "test", Alerts: []incidents.Alert{a}, Keys: []incidents.Key{a.Fingerprint()}, Grouping: incidents.Grouping{Key: incidents.KeyOf("g")}}); err != nil {
		t.Fatal(err)
	}
	g.sync()
	return g
}

func (g *game) do(cmd incidents.Command) error {
	events, _, err := incidents.Advance(g.s, cmd, g.clock(), incidents.Policy{})
	g.log = append(g.log, events...)
	return err
}

func (g *game) sync() {
	g.t.Helper()
	ticket, err := g.syncer.Sync(g.t.Context(), g.s, g.log)
	if noted := g.do(incidents.TicketSynced{Tracker: g.sys.name, Ticket: ticket}); noted != nil {
		g.t.Fatal(err, noted)
	}
	g.key = ticket.Key
}

func (g *game) Put(context.Context, string, incidents.ID) error { return nil }

func (g *game) Incident(_ context.Context, key string) (incidents.ID, bool, error) {
	return 42, key == g.key || slices.ContainsFunc(g.s.Tickets[g.sys.name].Tasks, func(k incidents.TicketTask) bool { return k.Key == key }), nil
}

func (g *game) Happened(_ context.Context, _ incidents.ID, once string) (bool, error) {
	return g.once[once], nil
}

func (g *game) Load(context.Context, incidents.ID) (*incidents.Incident, error) { return g.s, nil }

func (g *game) Do(_ context.Context, _ incidents.ID, once string, cmd incidents.Command) (*incidents.Incident, error) {
	if g.once[once] {
		return g.s, nil
	}
	err := g.do(cmd)
	g.once[once] = err == nil
	return g.s, err
}

// Handle understands what an inbox types.
func (g *game) Handle(_ context.Context, q bot.Request) (bot.Reply, error) {
	if g.once[q.Once] {
		return bot.Reply{}, nil
	}
	var err error
	var word string
	before := len(g.log)
	q.Person.ID = "person:" + q.Person.Name // as a roster knows them, wherever they are
	switch {
	case q.Line == "resolve":
		err = g.do(incidents.Resolve{By: q.Person})
	case q.Line == "reopen":
		err = g.do(incidents.Reopen{By: q.Person})
	case q.Line == "ack":
		err = g.do(incidents.Ack{By: q.Person})
	default:
		var number int
		if n, _ := fmt.Sscanf(q.Line, "todo %s %d", &word, &number); n == 2 {
			err = g.do(incidents.EndTodo{By: q.Person, N: number, Open: word == "open"})
		} else if n, _ := fmt.Sscanf(q.Line, "severity %s", &word); n == 1 {
			sev, _ := incidents.ParseSeverity(word)
			err = g.do(incidents.SetSeverity{By: q.Person, Severity: sev})
		} else if n, _ := fmt.Sscanf(q.Line, "lead %q", &word); n == 1 {
			err = g.do(incidents.Lead{By: q.Person, Who: incidents.Actor{ID: "person:" + word, Name: word}})
		} else {
			g.t.Errorf("typed: %s", q.Line)
		}
	}
	if g.once[q.Once] = err == nil; err == nil {
		g.heard += len(g.log) - before
	}
	return bot.Reply{}, err
}

var people = []string{"joe", "bea"}

// there is somebody who changes the ticket.
func (g *game) there() {
	a := []act{
		{state: []bot.TicketState{bot.TicketTodo, bot.TicketDoing, bot.TicketDone}[g.rand.IntN(3)]},
		{severity: incidents.Severity(1 + g.rand.IntN(5))},
		{assignee: people[g.rand.IntN(2)]},
		{say: "hm"},
	}[g.rand.IntN(4)]
	g.act(people[g.rand.IntN(2)], g.key, a)
}

// here is somebody who changes the incident.
func (g *game) here() {
	name := people[g.rand.IntN(2)]
	by := incidents.Actor{ID: "person:" + name, Name: name}
	cmds := []incidents.Command{
		incidents.Ack{By: by}, incidents.Resolve{By: by}, incidents.Reopen{By: by}, incidents.Lead{By: by, Who: by},
		incidents.SetSeverity{By: by, Severity: incidents.Severity(1 + g.rand.IntN(5))}, incidents.Note{By: by, Text: "so"},
	}
	_ = g.do(cmds[g.rand.IntN(len(cmds))]) // what makes no sense now is refused
}

// arrive delivers what is due: late, out of order, some of it twice, some never.
func (g *game) arrive(all bool) {
	g.t.Helper()
	for _, d := range g.deliveries() {
		for range g.rand.IntN(3) {
			g.post = append(g.post, delivery{d.Clone(g.t.Context()), g.clock().Add(time.Duration(g.rand.IntN(20_000)) * time.Millisecond)})
		}
	}
	var left []delivery
	for _, n := range g.rand.Perm(len(g.post)) {
		g.wait(time.Millisecond) // no two things happen at the same moment
		d := g.post[n]
		if !all && d.at.After(g.clock()) {
			left = append(left, d)
			continue
		}
		body, err := d.GetBody()
		if err != nil {
			g.t.Fatal(err)
		}
		d.Body = body
		if code := post(g.k, &g.inbox, d.Request); code != 204 && code != 503 { // 503 where the tracker fails
			g.t.Error(code)
		}
	}
	g.post = left
	if all {
		if err := g.k.Poll(g.t.Context(), &g.inbox); err != nil {
			g.t.Error(err)
		}
	}
}

// settle lets everything arrive and be told.
func (g *game) settle() {
	g.arrive(true)
	for range 4 {
		g.wait(6 * time.Minute)
		g.sync()
		g.arrive(true)
	}
}

func (g *game) compare(what string) {
	g.t.Helper()
	i := g.one()
	want := bot.TicketOf(g.s, nil, g.sys.name, "en", g.clock(), bot.Links{})
	if i.state != want.State {
		g.t.Errorf("%s: the ticket is %s, the incident %s", what, i.state, want.State)
	}
	if g.s.SetSeverity != nil && i.severity != g.shown(want.Severity) {
		g.t.Errorf("%s: the ticket is %s, the incident %s", what, i.severity, want.Severity)
	}
	if g.s.Commander != nil && i.assignee != g.s.Commander.By.Name {
		g.t.Errorf("%s: the ticket is %s's, the incident %s's", what, i.assignee, g.s.Commander.By.Name)
	}
}

// A thousand changes (of all trackers together) on both sides, told late, twice, never and in any order,
// end in the same state on both; then there is nothing left to tell.
func TestPingPong(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, sys system) {
		for seed := range uint64(4) {
			g := newGame(t, sys, seed)
			for range 90 {
				g.wait(time.Duration(1+g.rand.IntN(3000)) * time.Millisecond)
				if g.rand.IntN(2) == 0 {
					g.there()
				} else {
					g.here()
				}
				g.arrive(false)
				if g.rand.IntN(3) == 0 {
					if g.rand.IntN(5) == 0 {
						g.fake().Tell([]lies.Lie{lies.Fail, lies.DoneFail, lies.DoneCut}[g.rand.IntN(3)], 1, "", "", "")
					}
					g.sync()
				}
			}
			g.sync() // whatever lie is left
			g.settle()
			g.compare(fmt.Sprint("seed ", seed))
			before, events := g.fake().Written(), len(g.log)
			g.settle()
			if after := g.fake().Written(); after != before {
				t.Errorf("seed %d: an echo: %d changes after all was told", seed, after-before)
			}
			for _, e := range g.log[events:] {
				if e.Kind != incidents.EventTicketSynced {
					t.Errorf("seed %d: an echo: %s", seed, e.Kind)
				}
			}
			g.comments(seed)
		}
	})
}

// comments says whether each of ours stands there once.
func (g *game) comments(seed uint64) {
	g.t.Helper()
	texts, ours := map[string]int{}, g.one().comments
	for _, c := range ours {
		texts[c]++
	}
	want := len(bot.TicketOf(g.s, g.log, g.sys.name, "en", g.clock(), bot.Links{}).Comments)
	if len(ours) > want || len(ours) < want-g.heard || len(texts) != len(ours) {
		g.t.Errorf("seed %d: %d comments, %d different ones, want %d without the %d things that the ticket told", seed, len(ours), len(texts), want, g.heard)
	}
}

// Where only the ticket is changed, none of its fields is written by us.
func TestNoEcho(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, sys system) {
		g := newGame(t, sys, 7)
		g.act("joe", g.key, act{state: bot.TicketDoing}) // what else an assignee would begin
		g.arrive(true)
		g.sync()
		before := g.fake().Written()
		for range 40 {
			g.wait(time.Duration(1+g.rand.IntN(2000)) * time.Millisecond)
			g.there()
			g.arrive(true)
			g.sync()
		}
		if n := g.fake().Written() - before; n != 0 {
			t.Errorf("%d changes are ours", n)
		}
	})
}
