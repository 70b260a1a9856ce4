package jira

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/jira"
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
	body []byte
	at   time.Time
}

func newGame(t *testing.T, flavour Flavour, seed uint64) *game {
	g := &game{house: newHouse(t, flavour), s: &incidents.Incident{}, once: map[string]bool{}, rand: rand.New(rand.NewPCG(seed, 1))}
	g.tracker = g.another(flavour, func(c *Config) { c.Secret = secret })
	g.syncer = tracker.Syncer{Name: "jira", Tracker: g.tracker, Directory: g, Lang: "en", Now: g.clock}
	g.inbox = tracker.Inbox{Name: "jira", Owner: g, Mover: g, Router: g, Lang: "en"}
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
	if noted := g.do(incidents.TicketSynced{Tracker: "jira", Ticket: ticket}); noted != nil {
		g.t.Fatal(err, noted)
	}
	g.key = ticket.Key
}

func (g *game) Put(context.Context, string, incidents.ID) error { return nil }

func (g *game) Incident(_ context.Context, key string) (incidents.ID, bool, error) {
	return 42, key == g.key, nil
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
		if n, _ := fmt.Sscanf(q.Line, "severity %s", &word); n == 1 {
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

// there is somebody who changes the ticket.
func (g *game) there() {
	who := []string{fake.Joe, fake.Bea}[g.rand.IntN(2)]
	switch g.rand.IntN(4) {
	case 0:
		g.jira.Move(who, g.key, []string{"To Do", "In Progress", "Closed"}[g.rand.IntN(3)])
	case 1:
		g.jira.SetPriority(who, g.key, fake.Priorities[g.rand.IntN(5)])
	case 2:
		g.jira.SetAssignee(who, g.key, []string{fake.Joe, fake.Bea}[g.rand.IntN(2)])
	case 3:
		g.jira.Say(who, g.key, "hm")
	}
}

// here is somebody who changes the incident.
func (g *game) here() {
	name := []string{"joe", "bea"}[g.rand.IntN(2)]
	by := incidents.Actor{ID: "person:" + name, Name: name}
	cmds := []incidents.Command{
		incidents.Ack{By: by}, incidents.Resolve{By: by}, incidents.Reopen{By: by}, incidents.Lead{By: by, Who: by},
		incidents.SetSeverity{By: by, Severity: incidents.Severity(1 + g.rand.IntN(5))}, incidents.Note{By: by, Text: "so"},
	}
	_ = g.do(cmds[g.rand.IntN(len(cmds))]) // what makes no sense now is refused
}

// arrive delivers what is due: late, out of order, and some of it twice.
func (g *game) arrive(all bool) {
	g.t.Helper()
	for _, d := range g.jira.Deliveries() {
		for range 1 + g.rand.IntN(2) {
			g.post = append(g.post, delivery{d.Body, g.clock().Add(time.Duration(g.rand.IntN(20_000)) * time.Millisecond)})
		}
	}
	var left []delivery
	for _, n := range g.rand.Perm(len(g.post)) {
		g.wait(time.Millisecond) // no two things happen at the same moment
		if d := g.post[n]; !all && d.at.After(g.clock()) {
			left = append(left, d)
		} else if code := post(g.tracker, &g.inbox, d.body, signed(secret)); code == 503 {
			left = append(left, d) // a lie met the look at the ticket: Jira sends it again
		} else if code != 204 {
			g.t.Error(code)
		}
	}
	g.post = left
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
	want := bot.TicketOf(g.s, nil, "jira", "en", g.clock(), bot.Links{})
	if got := fake.CategoryOf(i.Status); got != category[want.State] {
		g.t.Errorf("%s: the ticket is %s, the incident %s", what, got, want.State)
	}
	if got := g.tracker.config.severityOf(i.Priority); g.s.SetSeverity != nil && got != want.Severity {
		g.t.Errorf("%s: the ticket is %s, the incident %s", what, i.Priority, want.Severity)
	}
	if g.s.Commander != nil && i.Assignee != g.s.Commander.By.Name {
		g.t.Errorf("%s: the ticket is %s's, the incident %s's", what, i.Assignee, g.s.Commander.By.Name)
	}
}

// A thousand changes on both sides, told late, twice and in any order, end in
// the same state on both; then there is nothing left to tell.
func TestPingPong(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, flavour Flavour) {
		seeds := uint64(4)
		if os.Getenv("HIKESHI_CRASH") == "all" {
			seeds = 40
		}
		for seed := range seeds {
			g := newGame(t, flavour, seed)
			for range 100 {
				g.wait(time.Duration(1+g.rand.IntN(3000)) * time.Millisecond)
				if g.rand.IntN(2) == 0 {
					g.there()
				} else {
					g.here()
				}
				g.arrive(false)
				if g.rand.IntN(3) == 0 {
					if g.rand.IntN(5) == 0 {
						g.jira.Lies([]fake.Lie{fake.Fail, fake.DoneFail, fake.DoneCut}[g.rand.IntN(3)], 1, "", "", "")
					}
					g.sync()
				}
			}
			g.sync() // whatever lie is left
			g.settle()
			g.compare(fmt.Sprint("seed ", seed))
			before, events := g.jira.Changed(fake.Bot), len(g.log)
			g.settle()
			if after := g.jira.Changed(fake.Bot); after != before {
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
	ours := 0
	texts := map[string]int{}
	for _, c := range g.one().Comments {
		if c.Author == fake.Bot {
			ours++
			texts[fmt.Sprint(c.Properties)]++
		}
	}
	want := len(bot.TicketOf(g.s, g.log, "jira", "en", g.clock(), bot.Links{}).Comments)
	if ours > want || ours < want-g.heard || len(texts) != ours {
		g.t.Errorf("seed %d: %d comments, %d different ones, want %d without the %d things that the ticket told", seed, ours, len(texts), want, g.heard)
	}
}

// Where only the ticket is changed, none of its fields is written by us.
func TestNoEcho(t *testing.T) {
	t.Parallel()
	g := newGame(t, Cloud, 7)
	for range 100 {
		g.wait(time.Duration(1+g.rand.IntN(2000)) * time.Millisecond)
		g.there()
		g.arrive(false)
		g.sync()
	}
	g.arrive(true)
	g.sync()
	if n := g.jira.Changed(fake.Bot); n != 0 {
		t.Errorf("%d changes are ours", n)
	}
}
