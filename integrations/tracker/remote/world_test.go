package remote_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/gitlab"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
	gitlabfake "github.com/hikeshi-ops/hikeshi/internal/fakes/gitlab"
	"github.com/hikeshi-ops/hikeshi/internal/fakes/lies"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// adapter is what every tracker's adapter is.
type adapter interface {
	tracker.Tracker
	Poll(ctx context.Context, to tracker.Changer) error
	Handler(to tracker.Changer) http.Handler
	Examine(ctx context.Context) []tracker.Finding
	Stats() tracker.Stats
}

// ticket is one as its tracker has it.
type ticket struct {
	key      string
	state    bot.TicketState
	severity incidents.Severity
	assignee string
	text     string
	comments []string // ours
	files    []string // what is in them
	parent   string   // the key of the ticket that it is a task of
}

// system is a kind of tracker with its fake and the people in it.
type system struct {
	name    string
	first   string // the key of the first ticket
	creates string // what the path ends with where one is created
	files   string // and where a file is sent
	open    func(h *house) world
}

// world is one tracker in a test.
type world interface {
	// make is the adapter of another replica, or after a restart.
	make(settings remote.Settings, transport http.RoundTripper, change func(*remote.Config)) (adapter, error)
	tickets() []ticket
	// act is a person who changes what is not zero.
	act(who, key string, a act)
	// deliveries are the webhooks that wait to be sent.
	deliveries() []*http.Request
	// noChildren lets the tracker refuse what ties a task to its ticket.
	noChildren()
	// noFiles lets the tracker refuse files with that status.
	noFiles(status int)
	fake() fake
}

// act is what a person does in a ticket.
type act struct {
	state    bot.TicketState
	severity incidents.Severity
	assignee string
	say      string
	below    string // written below the description
	copied   bool
}

// fake is what all fakes have.
type fake interface {
	http.RoundTripper
	Tell(what lies.Lie, times int, method, path, detail string)
	Close()
	Wrongs() []string
	Written() int
}

var systems = []system{
	{name: "gitlab", first: "#1", creates: "/issues", files: "/uploads", open: openGitLab},
	{name: "servicenow", first: "INC0010001", creates: "/table/incident", files: "/attachment/file", open: openServiceNow},
	{name: "backlog", first: "OPS-1", creates: "/issues", files: "/attachment", open: openBacklog},
}

func each(t *testing.T, run func(t *testing.T, sys system)) {
	for _, sys := range systems {
		t.Run(sys.name, func(t *testing.T) {
			t.Parallel()
			run(t, sys)
		})
	}
}

// house is a tracker, its adapter, and a clock that is moved by hand.
type house struct {
	world
	t     testing.TB
	sys   system
	store *memory
	k     adapter
	lag   time.Duration

	mu  sync.Mutex
	now time.Time
}

const hookToken = "what-webhooks-show-themselves-with"

func newHouse(t testing.TB, sys system, lag time.Duration) *house {
	t.Helper()
	h := &house{t: t, sys: sys, store: &memory{docs: map[string]incidents.Document{}}, now: noon, lag: lag}
	h.world = sys.open(h)
	t.Cleanup(h.fake().Close)
	t.Cleanup(func() {
		for _, w := range h.fake().Wrongs() {
			t.Error(w)
		}
	})
	h.k = h.another(nil)
	return h
}

func (h *house) another(change func(*remote.Config)) adapter {
	h.t.Helper()
	k, err := h.make(h.store, h.fake(), change)
	if err != nil {
		h.t.Fatal(err)
	}
	return k
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) wait(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// open asks as a worker does, until it works: what says when to come back is
// come back to then, anything else in a second.
func (h *house) open(k adapter, ticket bot.Ticket) tracker.Ref {
	h.t.Helper()
	for range 200 {
		ref, err := k.Open(h.t.Context(), ticket)
		if err == nil {
			return ref
		}
		if later, ok := errors.AsType[*incidents.Later](err); ok {
			h.wait(later.After)
		} else {
			h.wait(time.Second)
		}
	}
	_, err := k.Open(h.t.Context(), ticket)
	h.t.Fatal("it never worked: ", err)
	return tracker.Ref{}
}

func (h *house) one() ticket {
	h.t.Helper()
	all := h.tickets()
	if len(all) != 1 {
		h.t.Fatalf("%d tickets", len(all))
	}
	return all[0]
}

// memory is a store's settings.
type memory struct {
	mu   sync.Mutex
	docs map[string]incidents.Document
}

func (m *memory) Setting(_ context.Context, name string) (incidents.Document, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.docs[name], nil
}

func (m *memory) PutSetting(_ context.Context, name string, expect int64, body []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.docs[name].Version != expect {
		return incidents.ErrConflict
	}
	m.docs[name] = incidents.Document{Name: name, Version: expect + 1, Body: body}
	return nil
}

// free is no limit at all.
type free struct{}

func (free) Wait(ctx context.Context, _, _ string, _ limit.Lane) error { return ctx.Err() }

func (free) Close(context.Context, string, string, time.Duration) {}

const nasty = "/close\n/assign @joe\n  /label ~doing\n@all look #1 !2 ~bug %3 $x$ &4 PR [x](http://evil/x) ![p](http://evil/p.png) <script> **bold** `code` ``` ~~~ http://evil.example www.evil.example\n" +
	"* head ''b'' %%s%% {code}x{/code} {quote} [[a>http://evil]] &color(red){x} #image(http://evil/x.png) &br; |a|b|\n- item\n+ item\n> quote\n# head\n====\n---\n1. one <@U1> \\ \\\\"

func ticketOf(marker string) bot.Ticket {
	return bot.Ticket{
		Incident: 42, Marker: marker, Summary: "[INC-42] HighErrorRate " + nasty, State: bot.TicketTodo, Severity: incidents.Sev2,
		Body: []bot.Message{{
			Title: nasty, Text: nasty, Fields: []bot.Field{{Name: nasty, Value: nasty}}, Checks: []bot.Check{{State: bot.CheckBad, Name: nasty, Value: nasty}},
			Items: []bot.Item{{Title: nasty, Evidence: nasty}}, Code: []bot.Code{{Label: nasty, Text: nasty + "\n{/code}\n```\n````\n/close"}},
			Links: []bot.Link{{Label: nasty, URL: "https://hikeshi.example.com/incidents/INC-42?a=[b]|(c)"}, {Label: "x", URL: "javascript:alert(1)"}},
		}},
	}
}

// quiet is a ticket with nothing in it but its marker.
func quiet(marker string) bot.Ticket {
	return bot.Ticket{Incident: 42, Marker: marker, Summary: "[INC-42] x", State: bot.TicketTodo, Severity: incidents.Sev2}
}

// gitlabWorld is a GitLab in a test.
type gitlabWorld struct {
	h *house
	*gitlabfake.Server
}

func openGitLab(h *house) world {
	s := gitlabfake.New(h.clock)
	s.Lag, s.Hosts = h.lag, []string{"hikeshi.example.com"}
	return gitlabWorld{h, s}
}

func (w gitlabWorld) fake() fake { return w.Server }

func (w gitlabWorld) noChildren() { w.NoLinks = http.StatusForbidden }

func (w gitlabWorld) noFiles(status int) { w.NoFiles = status }

var gitlabPeople = map[string]int{"joe": gitlabfake.Joe, "bea": gitlabfake.Bea}

func (w gitlabWorld) make(settings remote.Settings, transport http.RoundTripper, change func(*remote.Config)) (adapter, error) {
	c := remote.Config{
		Name: "gitlab", URL: "https://gitlab.example.com", Token: gitlabfake.Token, Hook: hookToken, Project: gitlabfake.Project, Labels: []string{"ops"},
		People: map[string]string{"joe": "8", "bea": "9"},
	}
	if change != nil {
		change(&c)
	}
	return gitlab.New(remote.Options{Config: c, Settings: settings, Pace: free{}, Transport: transport, Now: w.h.clock, Log: slog.New(slog.DiscardHandler)})
}

func (w gitlabWorld) tickets() []ticket {
	var all []ticket
	for _, i := range w.Issues() {
		t := ticket{key: "#" + strconv.Itoa(i.IID), state: bot.TicketTodo, text: i.Title + "\n" + i.Description}
		for _, l := range i.Labels {
			if n, ok := strings.CutPrefix(l, "severity::"); ok {
				t.severity, _ = incidents.ParseSeverity("SEV" + n)
			}
			if l == "doing" {
				t.state = bot.TicketDoing
			}
		}
		if i.State == "closed" {
			t.state = bot.TicketDone
		}
		for _, l := range w.Links() {
			if l[1] == i.IID {
				t.parent = "#" + strconv.Itoa(l[0])
			}
		}
		for name, id := range gitlabPeople {
			if id == i.Assignee {
				t.assignee = name
			}
		}
		for _, n := range i.Notes {
			if n.Author == gitlabfake.Bot && !n.System {
				t.comments = append(t.comments, n.Body)
			}
			for address, text := range w.Uploads {
				if strings.Contains(n.Body, "("+address+")") {
					t.files = append(t.files, text)
				}
			}
		}
		all = append(all, t)
	}
	return all
}

func (w gitlabWorld) act(name, key string, a act) {
	iid, _ := strconv.Atoi(strings.TrimPrefix(key, "#"))
	who := gitlabPeople[name]
	now := w.Issues()[iid-1]
	switch a.state {
	case bot.TicketDone:
		w.SetState(who, iid, "closed")
	case bot.TicketDoing:
		w.Label(who, iid, []string{"doing"}, nil)
		w.SetState(who, iid, "opened")
	case bot.TicketTodo:
		w.Label(who, iid, nil, []string{"doing"})
		w.SetState(who, iid, "opened")
	}
	if a.severity != incidents.SevUnknown {
		var off []string
		for _, l := range now.Labels {
			if strings.HasPrefix(l, "severity::") {
				off = append(off, l)
			}
		}
		on := "severity::" + strings.TrimPrefix(a.severity.String(), "SEV")
		if len(off) != 1 || off[0] != on {
			w.Label(who, iid, []string{on}, off)
		}
	}
	if a.assignee != "" {
		w.Assign(who, iid, gitlabPeople[a.assignee])
	}
	if a.say != "" {
		w.Say(who, iid, a.say)
	}
	if a.below != "" {
		w.Describe(who, iid, a.below)
	}
	if a.copied {
		w.Copy(who, iid)
	}
}

func (w gitlabWorld) deliveries() []*http.Request {
	var all []*http.Request
	for _, body := range w.Deliveries() {
		r, err := http.NewRequest(http.MethodPost, "/v1/gitlab/gitlab", strings.NewReader(string(body)))
		if err != nil {
			panic(err)
		}
		r.Header.Set("X-Gitlab-Token", hookToken)
		all = append(all, r)
	}
	return all
}
