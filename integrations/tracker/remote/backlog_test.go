package remote_test

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/backlog"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
	fakes "github.com/hikeshi-ops/hikeshi/internal/fakes/backlog"
)

// backlogWorld is a Backlog in a test.
type backlogWorld struct {
	h *house
	*fakes.Server
}

func openBacklog(h *house) world {
	s := fakes.New(h.clock)
	s.Lag, s.Hosts = h.lag, []string{"hikeshi.example.com"}
	return backlogWorld{h, s}
}

func (w backlogWorld) fake() fake { return w.Server }

func (w backlogWorld) noChildren() { w.NoTasks = true }

func (w backlogWorld) noFiles(status int) { w.NoFiles = status }

var backlogPeople = map[string]int{"joe": fakes.Joe, "bea": fakes.Bea}

func (w backlogWorld) make(settings remote.Settings, transport http.RoundTripper, change func(*remote.Config)) (adapter, error) {
	c := remote.Config{
		Name: "backlog", URL: "https://example.backlog.com", Token: fakes.Token, Hook: hookToken, Project: fakes.Project, Type: fakes.Type,
		People: map[string]string{"joe": "8", "bea": "9"},
	}
	if change != nil {
		change(&c)
	}
	return backlog.New(remote.Options{Config: c, Settings: settings, Pace: free{}, Transport: transport, Now: w.h.clock, Log: slog.New(slog.DiscardHandler)})
}

// prioritised are Backlog's three, and the gravest severity that each stands for.
var prioritised = map[int]incidents.Severity{2: incidents.Sev1, 3: incidents.Sev3, 4: incidents.Sev4}

func priorityOf(s incidents.Severity) int {
	return map[incidents.Severity]int{incidents.Sev1: 2, incidents.Sev2: 2, incidents.Sev3: 3, incidents.Sev4: 4, incidents.Sev5: 4}[s]
}

func (w backlogWorld) shown(s incidents.Severity) incidents.Severity {
	return prioritised[priorityOf(s)]
}

func (w backlogWorld) tickets() []ticket {
	var all []ticket
	for _, i := range w.Issues() {
		t := ticket{key: fakes.Project + "-" + strconv.Itoa(i.Number), text: i.Summary + "\n" + i.Description, severity: prioritised[i.Priority]}
		t.state = map[int]bot.TicketState{1: bot.TicketTodo, 2: bot.TicketDoing, 3: bot.TicketDone, 4: bot.TicketDone}[i.Status]
		if key, _, ok := strings.Cut(i.Description, "\n"); ok && strings.HasPrefix(key, fakes.Project+"-") {
			t.parent = key
		}
		if i.Parent != 0 {
			t.parent = fakes.Project + "-" + strconv.Itoa(i.Parent)
		}
		for name, id := range backlogPeople {
			if id == i.Assignee {
				t.assignee = name
			}
		}
		for _, c := range i.Comments {
			if c.Author == fakes.Bot && c.Content != "" {
				t.comments = append(t.comments, c.Content)
			}
		}
		for _, f := range i.Files {
			t.files = append(t.files, string(f.Text))
		}
		all = append(all, t)
	}
	return all
}

func (w backlogWorld) act(name, key string, a act) {
	n, _ := strconv.Atoi(strings.TrimPrefix(key, fakes.Project+"-"))
	who := backlogPeople[name]
	switch {
	case a.below != "":
		w.Describe(n, a.below)
	case a.copied:
		w.Copy(who, n)
	default:
		status := map[bot.TicketState]int{bot.TicketTodo: 1, bot.TicketDoing: 2, bot.TicketDone: 4}[a.state]
		w.Change(who, n, status, priorityOf(a.severity), backlogPeople[a.assignee], a.say)
	}
}

func (w backlogWorld) deliveries() []*http.Request {
	var all []*http.Request
	for _, body := range w.Deliveries() {
		r, err := http.NewRequest(http.MethodPost, "/v1/backlog/backlog/"+hookToken, strings.NewReader(string(body)))
		if err != nil {
			panic(err)
		}
		all = append(all, r)
	}
	return all
}
