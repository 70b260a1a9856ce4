package remote_test

import (
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/servicenow"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
	fakenow "github.com/hikeshi-ops/hikeshi/internal/fakes/servicenow"
)

// serviceNowWorld is a ServiceNow in a test.
type serviceNowWorld struct {
	h *house
	*fakenow.Server
}

func openServiceNow(h *house) world {
	s := fakenow.New(h.clock)
	s.Lag = h.lag
	return serviceNowWorld{h, s}
}

func (w serviceNowWorld) fake() fake { return w.Server }

func (w serviceNowWorld) noChildren() {}

func (w serviceNowWorld) noFiles(status int) { w.NoFiles = status }

var (
	serviceNowPeople = map[string]string{"joe": fakenow.Joe, "bea": fakenow.Bea}
	serviceNowGrades = map[incidents.Severity][2]string{
		incidents.Sev1: {"1", "1"}, incidents.Sev2: {"1", "2"}, incidents.Sev3: {"2", "2"}, incidents.Sev4: {"2", "3"}, incidents.Sev5: {"3", "3"},
	}
	serviceNowStates = map[bot.TicketState]string{bot.TicketTodo: "1", bot.TicketDoing: "2", bot.TicketDone: "6"}
)

func (w serviceNowWorld) make(settings remote.Settings, transport http.RoundTripper, change func(*remote.Config)) (adapter, error) {
	c := remote.Config{
		Name: "servicenow", URL: "https://example.service-now.com", Token: fakenow.Token, Hook: hookToken, People: map[string]string{"joe": fakenow.Joe, "bea": fakenow.Bea},
		Fields: map[string]any{"category": "software"},
	}
	if change != nil {
		change(&c)
	}
	return servicenow.New(remote.Options{Config: c, Settings: settings, Pace: free{}, Transport: transport, Now: w.h.clock, Log: slog.New(slog.DiscardHandler)})
}

func (w serviceNowWorld) tickets() []ticket {
	var all []ticket
	for _, r := range w.Records() {
		c := r.Columns
		t := ticket{key: c["number"], text: c["short_description"] + "\n" + c["description"], comments: r.Notes, files: slices.Collect(maps.Values(w.Files(c["number"])))}
		for _, above := range w.Records() {
			if c["parent"] == above.Columns["sys_id"] {
				t.parent = above.Columns["number"]
			}
		}
		for state, value := range serviceNowStates {
			if value == c["state"] {
				t.state = state
			}
		}
		for sev, g := range serviceNowGrades {
			if g == [2]string{c["impact"], c["urgency"]} {
				t.severity = sev
			}
		}
		for name, id := range serviceNowPeople {
			if id == c["assigned_to"] {
				t.assignee = name
			}
		}
		all = append(all, t)
	}
	return all
}

func (w serviceNowWorld) act(name, key string, a act) {
	who, in := serviceNowPeople[name], map[string]string{}
	if a.state != "" {
		in["state"] = serviceNowStates[a.state]
	}
	if g, ok := serviceNowGrades[a.severity]; ok {
		in["impact"], in["urgency"] = g[0], g[1]
	}
	if a.assignee != "" {
		in["assigned_to"] = serviceNowPeople[a.assignee]
	}
	if a.say != "" {
		in["work_notes"] = a.say
	}
	if a.below != "" {
		for _, r := range w.Records() {
			if r.Columns["number"] == key {
				in["description"] = r.Columns["description"] + a.below
			}
		}
	}
	if len(in) > 0 {
		w.Set(who, key, in)
	}
	if a.copied {
		w.Copy(who, key)
	}
}

func (w serviceNowWorld) deliveries() []*http.Request {
	var all []*http.Request
	for _, body := range w.Deliveries() {
		r, err := http.NewRequest(http.MethodPost, "/v1/servicenow/servicenow", strings.NewReader(string(body)))
		if err != nil {
			panic(err)
		}
		r.Header.Set("X-Hikeshi-Token", hookToken)
		all = append(all, r)
	}
	return all
}
