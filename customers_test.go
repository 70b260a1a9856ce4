package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/inquiry"
)

// metrics is a Prometheus of each customer, by the first part of the address: a
// series that jumps, called after whose it is.
type metrics struct {
	*httptest.Server
	mu    sync.Mutex
	asked map[string]int
}

func newMetrics(t *testing.T) *metrics {
	m := &metrics{asked: map[string]int{}}
	m.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		whose, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		m.mu.Lock()
		m.asked[whose]++
		m.mu.Unlock()
		var values []string
		for at := time.Now().Add(-time.Hour).Truncate(15 * time.Second); at.Before(time.Now()); at = at.Add(15 * time.Second) {
			value := 10 + at.Unix()/15%2
			if time.Since(at) < 5*time.Minute {
				value = 900
			}
			values = append(values, fmt.Sprintf(`[%d,"%d"]`, at.Unix(), value))
		}
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"pod":"%s-series"},"values":[%s]}]}}`, whose, strings.Join(values, ","))
	}))
	t.Cleanup(m.Close)
	return m
}

// times is how often somebody's was asked.
func (m *metrics) times(whose string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.asked[whose]
}

// twoShops is a configuration with two customers who both have a shop.
func twoShops(t *testing.T, prometheus string) config.Config {
	c := auditedConfig(t)
	c.Console.People = []config.Person{{Name: "root", Token: "the-token-of-root"}, {Name: "acme", Token: "the-token-of-acme"}, {Name: "globex", Token: "the-token-of-globex"}}
	c.People = []config.Member{{Name: "root", Accounts: []string{"console:root"}, Roles: []string{"admin"}}}
	c.Sources = []config.Source{{Name: "alertmanager", Token: "the-token-of-alertmanager", Customer: "*"}}
	for _, name := range []string{"acme", "globex"} {
		c.Customers = append(c.Customers, config.Customer{Name: name, Match: []string{`customer="` + name + `"`}})
		c.People = append(c.People, config.Member{Name: name, Accounts: []string{"console:" + name}, Roles: []string{"commander", "approver"}, Customers: []string{name}})
		c.Sources = append(c.Sources, config.Source{Name: name + "-sender", Token: config.Secret("the-token-of-sender-" + name), Customer: name})
		c.Diagnostics.Prometheus = append(c.Diagnostics.Prometheus, inquiry.Prometheus{
			Name: name + "-prometheus", URL: prometheus + "/" + name, Customer: name, Series: []inquiry.Series{{Title: "errors", Query: `errors{service="$service"}`}},
		})
		c.Diagnostics.Services = append(c.Diagnostics.Services,
			inquiry.Service{Name: "shop", Owner: name + "-team", Customer: name, DependsOn: []string{name + "-db"}}, inquiry.Service{Name: name + "-portal", Customer: name, DependsOn: []string{"shop"}})
	}
	return c
}

// visitor is somebody at the addresses of a Hikeshi.
type visitor struct {
	t   *testing.T
	url string
}

func (v visitor) ask(token, method, path, body string) (int, string) {
	v.t.Helper()
	req, err := http.NewRequestWithContext(within(v.t), method, v.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer the-token-of-"+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return resp.StatusCode, string(out)
}

// shows waits until a room shows all of what is wanted, and returns all of it.
func (v visitor) shows(token string, id incidents.ID, want ...string) string {
	v.t.Helper()
	ctx := within(v.t)
	for look := time.NewTicker(20 * time.Millisecond); ; {
		_, room := v.ask(token, "GET", "/api/v1/incidents/"+id.String()+"/messages", "")
		var lacks []string
		for _, word := range want {
			if !strings.Contains(room, word) {
				lacks = append(lacks, word)
			}
		}
		if len(lacks) == 0 {
			_, state := v.ask(token, "GET", "/api/v1/incidents/"+id.String(), "")
			_, story := v.ask(token, "GET", "/api/v1/incidents/"+id.String()+"/timeline", "")
			return room + state + story
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			v.t.Fatalf("the room of %s lacks %q: %s", id, lacks, room)
		}
	}
}

func (v visitor) tell(name string) {
	v.t.Helper()
	var lines strings.Builder
	for i := range 90 {
		text, at := fmt.Sprintf("heartbeat number %d", i), time.Now().Add(time.Duration(i-90)*time.Minute/2)
		if i >= 60 {
			text, at = fmt.Sprintf("%s-log is out of memory", name), time.Now()
		}
		fmt.Fprintf(&lines, `{"service":"shop","host":"web-1","message":%q,"time":%q}`, text, at.Format(time.RFC3339))
	}
	for path, body := range map[string]string{"/v1/logs": lines.String(), "/v1/changes": `{"service":"shop","title":"` + name + `-change was made"}`} {
		if code, said := v.ask("sender-"+name, "POST", path, body); code != http.StatusOK {
			v.t.Fatalf("%s: %d %s", path, code, said)
		}
	}
}

// Two customers with a service of one name, on hosts of one name: what the room of one
// shows has nothing of the other's, wherever it is from.
func TestTwoCustomersWithOneName(t *testing.T) {
	t.Parallel()
	prometheus := newMetrics(t)
	v := visitor{t, serving(t, twoShops(t, prometheus.URL))}
	alert := func(name string) {
		if code, said := v.ask("alertmanager", "POST", "/v1/alerts/generic", `{"title":"Down","service":"shop","labels":{"customer":"`+name+`","host":"web-1"}}`); code != http.StatusOK {
			t.Fatalf("%d %s", code, said)
		}
	}
	said := func(name string) []string {
		return []string{name + "-series", name + "-log", name + "-change", name + "-team", name + "-db", name + "-portal", "Never before, as far as is known (0 past", "Append", "suggestions"}
	}
	v.tell("globex")
	v.tell("acme")
	alert("globex")
	all := v.shows("globex", 1, said("globex")...)
	if code, said := v.ask("globex", "POST", "/api/v1/incidents/INC-1/commands", `{"command":"resolve it was globex-secret"}`); code != http.StatusOK {
		t.Fatalf("%d %s", code, said)
	}
	if strings.Contains(all, "acme") {
		t.Errorf("globex is shown: %s", excerptOf(all, "acme"))
	}
	alert("acme")
	if all = v.shows("acme", 2, said("acme")...); strings.Contains(all, "globex") || strings.Contains(all, "INC-1") {
		t.Errorf("acme is shown: %s", excerptOf(all, "globex", "INC-1"))
	}
	before := prometheus.times("globex")
	for command, want := range map[string]string{
		"graph up": "acme-series", "graph in:globex-prometheus up": "acme-prometheus", "diagnose": "acme-log", "similar": "Never before", "changes globex": "Nothing was found", "logs web-1": "", "why 1": "",
	} {
		_, answer := v.ask("acme", "POST", "/api/v1/incidents/INC-2/commands", `{"command":"`+command+`"}`)
		if rest := strings.ReplaceAll(answer, command, ""); !strings.Contains(rest, want) || strings.Contains(rest, "globex") || strings.Contains(rest, "INC-1") {
			t.Errorf("/inc %s: %s", command, answer)
		}
	}
	if code, answer := v.ask("acme", "GET", "/api/v1/incidents/1", ""); code != http.StatusNotFound {
		t.Errorf("INC-1 is answered to acme: %d %s", code, answer)
	}
	for _, path := range []string{"/api/v1/incidents/", "/incidents/"} { // nor can it be told from one that never was
		theirs, hidden := v.ask("acme", "GET", path+"INC-1", "")
		none, never := v.ask("acme", "GET", path+"INC-99", "")
		if theirs != none || hidden != strings.ReplaceAll(never, "INC-99", "INC-1") {
			t.Errorf("%s: %d %s\nand %d %s", path, theirs, hidden, none, never)
		}
	}
	if prometheus.times("globex") != before {
		t.Error("globex's Prometheus was asked for acme")
	}
}

// excerptOf is what stands where one of the words does.
func excerptOf(text string, words ...string) string {
	for _, word := range words {
		if i := strings.Index(text, word); i >= 0 {
			return text[max(0, i-200):min(len(text), i+200)]
		}
	}
	return ""
}

// past has two incidents, of one customer each.
type past struct{}

func (past) List(context.Context, incidents.Query) (incidents.Page, error) {
	return incidents.Page{}, nil
}

func (past) Load(_ context.Context, id incidents.ID) (*incidents.Incident, error) {
	if id > 2 {
		return nil, errors.New("the store is away")
	}
	return &incidents.Incident{Customer: []string{"acme", "globex"}[id-1]}, nil
}

func TestWhichIncidentASuggestionNames(t *testing.T) {
	t.Parallel()
	g := &suggester{past: past{}}
	for _, c := range []struct {
		in   string
		id   incidents.ID
		want bool
	}{{"acme", 1, true}, {"acme", 2, false}, {"acme", 3, false}, {"", 2, true}} {
		if got := g.mayName(t.Context(), &incidents.Incident{Customer: c.in}, c.id); got != c.want {
			t.Errorf("in one of %q INC-%d: %t", c.in, c.id, got)
		}
	}
}
