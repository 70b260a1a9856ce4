package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/web/find"
)

// Whatever address there is, also one that is added later, somebody who was given
// one customer reads nothing of another one's there.
func TestNothingOfAnotherCustomerIsAnswered(t *testing.T) {
	t.Parallel()
	const secret = "Canary"
	roster, err := bot.NewRoster([]bot.Member{
		{Name: "kenji", Accounts: []string{"console:kenji"}, Grants: []bot.Grant{{Roles: []bot.Role{bot.Responder, bot.Approver}, Customers: []string{"acme"}}}},
		{Name: "root", Accounts: []string{"console:root"}, Grants: []bot.Grant{{Roles: []bot.Role{bot.Admin}, Customers: []string{bot.AllCustomers}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var w *world
	w, s := handler(t, func(o *Options) {
		o.Rights = roster
		o.Config.People = []Person{{Name: "kenji", Token: "kenji-" + token}, {Name: "root", Token: "root-" + token}}
		o.Alerts = find.New(find.Options{Incidents: o.Incidents})
	})
	router, err := bot.NewRouter(bot.RouterOptions{Commands: w.verbs(), Rights: roster, Incidents: w, Logger: s.Log})
	if err != nil {
		t.Fatal(err)
	}
	s.Router = router
	for i, customer := range []string{"acme", "globex"} {
		id := incidents.ID(len(w.logs) + 1)
		name := []string{"Fire", secret}[i]
		a := incidents.Alert{Labels: labelsOf("alertname=" + name + ",service=shop,pod=" + name), StartsAt: w.now()}
		w.must(t, id, incidents.Open{ID: id, Source: "test", Alerts: []incidents.Alert{a}, Keys: []incidents.Key{a.Fingerprint()}, Customer: customer, Grouping: incidents.Rules{}.Group("", &a)})
		if customer == "globex" {
			w.must(t, id, incidents.Note{By: incidents.Actor{ID: "console:root"}, Text: secret})
		}
	}
	theirs := incidents.ID(len(w.logs)).String()
	seen := 0
	for _, rt := range routes {
		if rt.stream {
			continue // below: its list and its room
		}
		method, path, body := example(rt)
		path = strings.ReplaceAll(path, "/incidents/1", "/incidents/"+theirs)
		body = strings.NewReplacer("%2Fack", "%2Fstatus+"+theirs, `"ack"`, `"status `+theirs+`"`).Replace(body)
		if path == "/api/v1/alerts" {
			path += "?label=pod%3D" + secret
		}
		if got := ask(s, method, path, body, bearer("kenji-"+token)); strings.Contains(got.Body.String(), secret) {
			t.Errorf("%s answers %d with what is not theirs: %s", rt.pattern, got.Code, got.Body)
		}
		if rt.right == "" || method != http.MethodGet {
			continue
		}
		if got := ask(s, method, path, body, bearer("root-"+token)); strings.Contains(got.Body.String(), secret) {
			seen++
		}
	}
	if seen < 7 { // else the addresses are not asked in a way that could tell anything
		t.Errorf("somebody who may see it found it at %d addresses only", seen)
	}
	v := &visit{person: roster.Who(incidents.Actor{ID: "console:kenji"}), lang: "en"}
	if events, _, err := (&listSource{s: s, v: v}).news(t.Context()); err != nil || len(events) != 1 || strings.Contains(events[0].data.(piece).HTML, secret) {
		t.Errorf("the live list: %v, %v", events, err)
	}
	if _, _, err := (&roomSource{s: s, v: v, id: incidents.ID(len(w.logs))}).news(t.Context()); incidents.CodeOf(err) != incidents.NotFound {
		t.Error("the live room:", err)
	}
	for _, path := range []string{"/learning", "/api/v1/learning"} {
		if got := ask(s, http.MethodGet, path, "", bearer("kenji-"+token)); got.Code != http.StatusForbidden {
			t.Errorf("%s answers %d", path, got.Code)
		}
	}
	if got := ask(s, http.MethodGet, "/?q="+secret, "", bearer("kenji-"+token)); strings.Contains(got.Body.String(), theirs) {
		t.Error("the search finds it")
	}
}

// Of others' incidents not even the number is told, they hide none of one's own,
// and there is no telling them from those that never were.
func TestOthersIncidentsNeitherCountNorHide(t *testing.T) {
	t.Parallel()
	roster, err := bot.NewRoster([]bot.Member{
		{Name: "kenji", Accounts: []string{"console:kenji"}, Grants: []bot.Grant{{Roles: []bot.Role{bot.Responder}, Customers: []string{"acme"}}}},
		{Name: "ann", Grants: []bot.Grant{{Roles: []bot.Role{bot.Approver}, Customers: []string{"acme"}}}},
		{Name: "gus", Grants: []bot.Grant{{Roles: []bot.Role{bot.Approver}, Customers: []string{"globex"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w, s := handler(t, func(o *Options) {
		o.Rights = roster
		o.Config.People = []Person{{Name: "kenji", Token: "kenji-" + token}}
		o.Alerts = find.New(find.Options{Incidents: o.Incidents})
	})
	open := func(customer string) {
		id := incidents.ID(len(w.logs) + 1)
		a := incidents.Alert{Labels: labelsOf("alertname=F,service=shop,pod=" + customer), StartsAt: w.now()}
		w.must(t, id, incidents.Open{ID: id, Source: "test", Alerts: []incidents.Alert{a}, Keys: []incidents.Key{a.Fingerprint()}, Customer: customer, Grouping: incidents.Rules{}.Group("", &a)})
	}
	see := func(path string) string {
		return ask(s, http.MethodGet, path, "", bearer("kenji-"+token)).Body.String()
	}
	open("globex")
	open("acme")
	if got := see("/api/v1/incidents?limit=1"); !strings.Contains(got, `"open":1}`) {
		t.Errorf("the count is everybody's: %s", got)
	}
	if got := see("/?q=pod%3Dacme"); !strings.Contains(got, `data-open="1"`) || !strings.Contains(got, "INC-3") {
		t.Errorf("the search counts everybody's, or finds nothing: %s", got)
	}
	for range pageSize + 1 {
		open("globex")
	}
	if got := see("/api/v1/incidents?open=true"); !strings.Contains(got, `"open":1}`) || !strings.Contains(got, `"id":3,`) {
		t.Errorf("one's own are hidden: %s", got)
	}
	if got := see("/"); strings.Contains(got, "Nothing is burning") || !strings.Contains(got, "INC-3") {
		t.Error("the page says that nothing is burning")
	}
	for _, path := range []string{"/api/v1/incidents/", "/incidents/"} {
		theirs, none := see(path+"INC-2"), see(path+"INC-99999")
		if theirs != strings.ReplaceAll(none, "INC-99999", "INC-2") {
			t.Errorf("%s tells that there is one:\n%s\n%s", path, theirs, none)
		}
	}
	for address, want := range map[string]int{"INC-3": http.StatusForbidden, "INC-2": http.StatusNotFound, "INC-99999": http.StatusNotFound} {
		for _, path := range []string{"/api/v1/incidents/", "/incidents/"} { // what a right is lacked for
			got := ask(s, http.MethodGet, path+address+"/outputs", "", bearer("kenji-"+token))
			body := got.Body.String()
			if got.Code != want || strings.Contains(body, "gus") || (strings.Contains(body, "ann may") || strings.Contains(body, "held by: ann.")) != (want == http.StatusForbidden) {
				t.Errorf("the outputs at %s%s: %d %s", path, address, got.Code, body)
			}
		}
	}
}
