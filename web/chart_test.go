package web

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// The pictures of what a person asked for, as those of the first investigation, are
// for who may see the incident, and no number finds anything else.
func TestPicturesOfWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	roster, err := bot.NewRoster([]bot.Member{
		{Name: "kenji", Accounts: []string{"console:kenji"}, Grants: []bot.Grant{{Roles: []bot.Role{bot.Responder}, Customers: []string{"acme"}}}},
		{Name: "root", Accounts: []string{"console:root"}, Grants: []bot.Grant{{Roles: []bot.Role{bot.Admin}, Customers: []string{bot.AllCustomers}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w, s := handler(t, func(o *Options) {
		o.Rights = roster
		o.Config.People = []Person{{Name: "kenji", Token: "kenji-" + token}, {Name: "root", Token: "root-" + token}}
		o.Draw = func(c *incidents.Clue, _ time.Time) ([]byte, error) { return []byte("picture of " + c.Title), nil }
	})
	id := incidents.ID(len(w.logs) + 1)
	a := incidents.Alert{Labels: labelsOf("alertname=F,service=shop"), StartsAt: w.now()}
	w.must(t, id, incidents.Open{ID: id, Source: "test", Alerts: []incidents.Alert{a}, Keys: []incidents.Key{a.Fingerprint()}, Customer: "globex", Grouping: incidents.Rules{}.Group("", &a)})
	curve := func(title string) incidents.Clue {
		return incidents.Clue{Kind: incidents.ClueGraph, Title: title, Chart: &incidents.Chart{From: 1, Every: 60, Values: "1,2,3"}}
	}
	w.must(t, id, incidents.Consulted{By: incidents.Actor{ID: "console:root"}, Line: "graph up", Clues: []incidents.Clue{curve("first"), {Kind: incidents.ClueLog, Title: "no chart"}, curve("second")}})
	seq := w.state(id).Version
	for seq > 0 && w.logs[id][seq-1].Kind != incidents.EventConsulted {
		seq--
	}
	get := func(file, who string) (int, string, http.Header) {
		got := ask(s, http.MethodGet, "/incidents/"+id.String()+"/charts/"+file, "", bearer(who+"-"+token))
		return got.Code, got.Body.String(), got.Header()
	}
	e := "e" + strconv.FormatInt(seq, 10) + "-"
	for file, want := range map[string]string{e + "1.png": "picture of first", e + "2.png": "picture of second"} {
		code, body, h := get(file, "root")
		if code != http.StatusOK || body != want || h.Get("Content-Type") != "image/png" || h.Get("Cache-Control") != "private, max-age=3600" || h.Get("Content-Length") != strconv.Itoa(len(want)) || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %q %v", file, code, body, h)
		}
		if code, body, h := get(file, "kenji"); code != http.StatusNotFound || strings.Contains(body, "picture") || strings.Contains(h.Get("Cache-Control"), "max-age=3600") {
			t.Errorf("%s for another customer's: %d %q %v", file, code, body, h)
		}
		if code, body, _ := get(file, "nobody"); code == http.StatusOK || strings.Contains(body, "picture") {
			t.Errorf("%s for a stranger: %d %q", file, code, body)
		}
	}
	for _, file := range []string{
		e + "0.png", e + "3.png", e + "-1.png", e + "99999999999999999999.png", e + "1", e + ".png", "1.png", "e1-1.png", "e0-1.png", "e-1-1.png",
		"e" + strconv.FormatInt(seq+1, 10) + "-1.png", "e99999999999999999999-1.png", "E1-1.png", "e-1.png", "%2e%2e-1.png", e + "1.png.png", e + "1%00.png",
	} {
		if code, body, h := get(file, "root"); code != http.StatusNotFound || strings.Contains(body, "picture") || strings.Contains(h.Get("Cache-Control"), "max-age=3600") {
			t.Errorf("%s: %d %q %v", file, code, body, h)
		}
	}
}
