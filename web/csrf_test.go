package web

import (
	"net/http"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// What another site's page sends does nothing, whatever it claims.
func TestOtherSitesPagesCanDoNothing(t *testing.T) {
	t.Parallel()
	forged := map[string][]func(*http.Request){
		"another origin":      {header("Origin", "https://evil.example")},
		"a null origin":       {header("Origin", "null")},
		"our name elsewhere":  {header("Origin", "http://localhost:9999")},
		"cross-site":          {header("Sec-Fetch-Site", "cross-site")},
		"same-site":           {header("Sec-Fetch-Site", "same-site")},
		"both":                {header("Origin", "https://evil.example"), header("Sec-Fetch-Site", "cross-site")},
		"origin with a slash": {header("Origin", "http://localhost:8080.evil.example")},
	}
	for name, change := range forged {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, s := handler(t, nil)
			before, _ := w.Load(t.Context(), 1)
			for _, rt := range routes {
				if !rt.changes() && !rt.stream {
					continue
				}
				method, path, body := example(rt)
				if got := ask(s, method, path, body, change...); got.Code != http.StatusForbidden {
					t.Errorf("%s: %d", rt.pattern, got.Code)
				}
			}
			after, _ := w.Load(t.Context(), 1)
			if after.Version != before.Version || len(w.pressed) > 0 {
				t.Error("something was done")
			}
		})
	}
}

func TestOurOwnPagesAndProgramsGetThrough(t *testing.T) {
	t.Parallel()
	for name, change := range map[string][]func(*http.Request){
		"curl":        nil,
		"our page":    {header("Origin", "http://localhost:8080"), header("Sec-Fetch-Site", "same-origin")},
		"typed by us": {header("Sec-Fetch-Site", "none")},
	} {
		_, s := handler(t, nil)
		if got := ask(s, http.MethodPost, "/incidents/1/say", "text=hello", change...); got.Code != http.StatusSeeOther {
			t.Errorf("%s: %d %s", name, got.Code, got.Body)
		}
	}
}

// A form of another site can send these content types without asking first.
func TestTheAPITakesJSONOnly(t *testing.T) {
	t.Parallel()
	w, s := handler(t, nil)
	for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", "text/json", ";;"} {
		got := ask(s, http.MethodPost, "/api/v1/incidents/1/commands", `{"command":"ack"}`, header("Content-Type", kind))
		fails(t, got, http.StatusBadRequest, incidents.Invalid)
	}
	if got := ask(s, http.MethodPost, "/incidents/1/say", "text=hi", header("Content-Type", "text/plain")); got.Code != http.StatusBadRequest {
		t.Errorf("a form as text/plain: %d", got.Code)
	}
	if len(w.pressed) > 0 {
		t.Error("something was done")
	}
	if got := ask(s, http.MethodPost, "/api/v1/incidents/1/commands", `{"command":"ack"}`, header("Content-Type", "application/json; charset=utf-8")); got.Code != http.StatusOK {
		t.Errorf("JSON: %d %s", got.Code, got.Body)
	}
}
