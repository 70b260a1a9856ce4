package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/web/find"
)

func TestAlertsAreFoundByTheirLabels(t *testing.T) {
	t.Parallel()
	_, s := handler(t, nil)
	get := func(query string) find.Answer {
		t.Helper()
		return into[find.Answer](t, ask(s, http.MethodGet, "/api/v1/alerts?"+query, ""))
	}
	a := get("label=service=checkout&label=instance=till-2")
	if len(a.Alerts) != 1 || a.Alerts[0].Incident != 1 || !a.Alerts[0].Firing || a.Alerts[0].Annotations.Get("summary") == "" || !a.Complete {
		t.Errorf("%+v", a)
	}
	first := get("label=service=checkout&limit=1")
	if len(first.Alerts) != 1 || first.After.IsZero() {
		t.Fatalf("%+v", first)
	}
	after, err := first.After.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	second := get("label=service=checkout&limit=1&after=" + string(after))
	if len(second.Alerts) != 1 || !second.After.IsZero() || second.Alerts[0].Labels.Get("instance") == first.Alerts[0].Labels.Get("instance") {
		t.Errorf("%+v", second)
	}
	if a := get("label=service=nobody"); a.Alerts == nil || len(a.Alerts) != 0 {
		t.Errorf("%+v", a)
	}
	for _, wrong := range []string{"label=x", "label==x", "label=x=", "state=maybe", "limit=0", "limit=201", "after=x", strings.Repeat("label=a=b&", 11)} {
		fails(t, ask(s, http.MethodGet, "/api/v1/alerts?"+wrong, ""), http.StatusBadRequest, incidents.Invalid)
	}
}

// hidden lets everybody see every service but one.
type hidden string

func (hidden) Who(p incidents.Actor) incidents.Actor { return p }

func (h hidden) May(_ incidents.Actor, _ bot.Right, where bot.Where) error {
	if where == bot.Of(incidents.Scope{Service: string(h)}) {
		return incidents.Fail(incidents.Forbidden, "error.forbidden", "not yours to see")
	}
	return nil
}

func TestAlertsOfAServiceThatOneMayNotSeeAreNotFound(t *testing.T) {
	t.Parallel()
	_, s := handler(t, func(o *Options) { o.Rights = hidden("checkout") })
	if a := into[find.Answer](t, ask(s, http.MethodGet, "/api/v1/alerts?label=service=checkout", "")); len(a.Alerts) != 0 {
		t.Errorf("%+v", a)
	}
	if page := ask(s, http.MethodGet, "/?q=till-2", "").Body.String(); strings.Contains(page, `href="/incidents/INC-1"`) {
		t.Error("the search shows an incident that may not be seen")
	}
}

func TestTheListIsSearchedWithoutAnyScript(t *testing.T) {
	t.Parallel()
	_, s := handler(t, nil)
	for query, found := range map[string]bool{
		"instance=till-2": true, "TILL-2 checkout": true, `instance="till-1"`: true, `"till-2"`: true, "　till-2　": true,
		"till-3": false, "instance=till": false, "till-2 search": false,
	} {
		page := ask(s, http.MethodGet, "/?q="+url.QueryEscape(query), "").Body.String()
		if strings.Contains(page, `href="/incidents/INC-1"`) != found {
			t.Errorf("%s: found is not %v", query, found)
		}
		if strings.Contains(page, "data-stream=\"/api") {
			t.Errorf("%s: what was found is searched again with every signal", query)
		}
	}
	for lang, says := range map[string]string{"en": "No open incident has such an alert.", "ja": "該当するアラートのある対応中のインシデントはありません。"} {
		if page := ask(s, http.MethodGet, "/?q=nothing&lang="+lang, "").Body.String(); !strings.Contains(page, says) {
			t.Errorf("%s: %q is not said", lang, says)
		}
	}
	page := ask(s, http.MethodGet, "/?q="+url.QueryEscape(`"><script>alert(1)</script>`), "").Body.String()
	if strings.Contains(page, "<script>alert") || !strings.Contains(page, "&lt;script&gt;alert(1)") {
		t.Error("what was typed is markup")
	}
	if got := ask(s, http.MethodGet, "/?q="+strings.Repeat("x", 201), ""); got.Code != http.StatusBadRequest {
		t.Errorf("a long search: %d", got.Code)
	}
}
