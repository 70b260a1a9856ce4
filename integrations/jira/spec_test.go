package jira

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/jira"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

func specification(t *testing.T, flavour Flavour) routers.Router {
	t.Helper()
	dir := testenv.Data(t, "HIKESHI_SPECS", "Jira's specifications (jira-swagger-v3.json of Cloud, jira-dc-10-swagger-v3.json of Data Center)")
	name := map[Flavour]string{Cloud: "jira-swagger-v3.json", DataCenter: "jira-dc-10-swagger-v3.json"}[flavour]
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	doc.Servers = openapi3.Servers{{URL: "https://jira.example.com" + prefix[flavour]}}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return router
}

// prefix is where the specifications' paths begin: Cloud's is of version 3,
// whose addresses are those of version 2.
var prefix = map[Flavour]string{Cloud: "", DataCenter: "/rest"}

// free forms: the specifications say less than, or something else than, Jira
// does, each with why.
var loose = map[Flavour]map[string]bool{
	Cloud: {
		"POST /rest/api/3/issue/{issueIdOrKey}/comment": true, // version 3 answers with documents where 2 has text
	},
	DataCenter: {
		"GET /api/2/issue/createmeta/{projectIdOrKey}/issuetypes":               true, // it is a page of these
		"GET /api/2/issue/createmeta/{projectIdOrKey}/issuetypes/{issueTypeId}": true,
		"GET /api/2/issue/{issueIdOrKey}":                                       true, // fields of type object only
		"GET /api/2/project/{projectIdOrKey}/statuses":                          true, // and so is this
		"POST /api/2/issue":                            true,
		"POST /api/2/issue/{issueIdOrKey}/attachments": true, // it is a list of these
		"PUT /api/2/issue/{issueIdOrKey}":              true,
		"POST /api/2/issue/{issueIdOrKey}/transitions": true,
		"POST /api/2/search":                           true,
	},
}

// What we ask for is in Atlassian's specification of the flavour and not about
// to be removed, and the fake answers as the specification says.
func TestWhatWeAskIsSpecified(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, flavour Flavour) {
		router := specification(t, flavour)
		h := newHouse(t, flavour)
		h.jira.Log = true
		h.walk()
		seen := map[string]bool{}
		for _, e := range h.jira.Exchanges() {
			version := map[Flavour]string{Cloud: "/rest/api/3/", DataCenter: "/rest/api/2/"}[flavour]
			req, err := http.NewRequestWithContext(t.Context(), e.Method, "https://jira.example.com"+version+e.Path, bytes.NewReader(e.Asked))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", cmp.Or(e.Kind, "application/json"))
			route, params, err := router.FindRoute(req)
			if err != nil {
				t.Errorf("%s %s: %v", e.Method, e.Path, err)
				continue
			}
			name := e.Method + " " + route.Path
			seen[name] = true
			if route.Operation.Deprecated {
				t.Errorf("%s is about to be removed", name)
			}
			in := &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route, Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, ExcludeRequestBody: loose[flavour][name] || strings.HasPrefix(e.Kind, "multipart/")}} // the validator reads no form of files
			if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil && e.Status < 300 {
				t.Errorf("we ask %s: %.500v\n%.300s", name, err, e.Asked)
			}
			out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: e.Status, Header: e.Header, Body: io.NopCloser(bytes.NewReader(asSpecified(t, e.Said))), Options: &openapi3filter.Options{IncludeResponseStatus: e.Status < 300, ExcludeResponseBody: loose[flavour][name] || e.Status >= 300 || len(e.Said) == 0}}
			if err := openapi3filter.ValidateResponse(context.Background(), out); err != nil {
				t.Errorf("the fake answers %s: %d %.500v\n%.300s", name, e.Status, err, e.Said)
			}
		}
		if len(seen) < 12 {
			t.Errorf("only %d operations: %v", len(seen), seen)
		}
	})
}

// asSpecified takes out what is null, because the validator takes a schema that
// says nothing for one that forbids it, and writes times with a colon in their
// zone, which Jira's have only in the specification.
func asSpecified(t *testing.T, body []byte) []byte {
	t.Helper()
	if len(body) == 0 {
		return nil
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatal(err)
	}
	var clean func(v any) any
	clean = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for k, x := range v {
				if v[k] = clean(x); x == nil {
					delete(v, k)
				}
			}
		case string:
			if before, ok := strings.CutSuffix(v, "+0000"); ok {
				return before + "+00:00"
			}
		case []any:
			for i, x := range v {
				v[i] = clean(x)
			}
		}
		return v
	}
	b, err := json.Marshal(clean(v))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// walk does everything that a ticket sees in its life.
func (h *house) walk() {
	h.t.Helper()
	ctx := h.t.Context()
	h.tracker.Examine(ctx)
	h.jira.Lies(fake.DoneFail, 1, "POST", "issue", "")
	ticket := ticketOf("hikeshi-inc-42-ee")
	h.jira.Lag = 6 * 60e9
	ref := h.open(h.tracker, ticket)
	h.wait(7 * 60e9)
	ticket.State, ticket.Assignee.Name = bot.TicketDone, "joe"
	ref, err := h.tracker.Update(ctx, ref.Key, ticket, tracker.Fields)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.tracker.Comment(ctx, ref.Key, bot.TicketComment{Key: "ev-2", Text: "over"}); err != nil {
		h.t.Fatal(err)
	}
	for range 2 { // the second time it is looked for
		if err := h.tracker.Attach(ctx, ref.Key, tracker.File{Key: "pm", Name: "pm-1.md", Text: []byte("# over\n")}); err != nil {
			h.t.Fatal(err)
		}
	}
	h.jira.Say(fake.Joe, ref.Key, "thanks")
	h.wait(60e9)
	if err := h.tracker.Poll(ctx, hearer{}); err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.tracker.Find(ctx, "OPS-77"); err == nil || !strings.Contains(err.Error(), "404") {
		h.t.Error(err)
	}
}
