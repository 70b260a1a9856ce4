package discord

import (
	"bytes"
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
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/chat/contract"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/discord"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

// conforms holds what was asked of the fake, and what it answered, against
// Discord's specification.
func conforms(t *testing.T, s *fake.Server) {
	t.Helper()
	all := s.Exchanges()
	if len(all) < 10 {
		t.Fatalf("only %d exchanges", len(all))
	}
	router := specification(t)
	seen := map[string]bool{}
	for _, e := range all {
		if e.Status >= 500 {
			continue
		}
		req, err := http.NewRequestWithContext(t.Context(), e.Method, "https://discord.com/api/v10"+e.Path, bytes.NewReader(asSpecified(e.Asked)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", e.Kind)
		req.Header.Set("Authorization", "Bot x")
		route, params, err := router.FindRoute(req)
		if err != nil {
			t.Errorf("%s %s: %v", e.Method, e.Path, err)
			continue
		}
		seen[route.Operation.OperationID] = true
		in := &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route, Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, ExcludeRequestBody: strings.HasPrefix(e.Kind, "multipart/")}}
		if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil && e.Status < 300 {
			t.Errorf("we ask %s %s: %.600v\n%s", e.Method, e.Path, err, e.Asked)
		}
		out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: e.Status, Header: e.Header, Body: io.NopCloser(bytes.NewReader(e.Said)), Options: &openapi3filter.Options{IncludeResponseStatus: true}}
		if err := openapi3filter.ValidateResponse(context.Background(), out); err != nil {
			t.Errorf("the fake answers %s %s: %d %.900v\n%.900s", e.Method, e.Path, e.Status, err, e.Said)
		}
	}
	t.Logf("%d exchanges, operations %v", len(all), seen)
}

// asSpecified writes the permissions of overwrites as numbers, which is what the
// specification wants to have; Discord takes, and documents, strings.
// https://docs.discord.com/developers/resources/channel#overwrite-object
func asSpecified(body []byte) []byte {
	var in map[string]any
	if json.Unmarshal(body, &in) != nil {
		return body
	}
	list, ok := in["permission_overwrites"].([]any)
	if !ok {
		return body
	}
	for _, o := range list {
		o := o.(map[string]any)
		for _, k := range []string{"allow", "deny"} {
			o[k] = json.Number(o[k].(string))
		}
	}
	b, err := json.Marshal(in)
	if err != nil {
		return body
	}
	return b
}

func specification(t *testing.T) routers.Router {
	t.Helper()
	dir := testenv.Data(t, "HIKESHI_SPECS", "Discord's specification (discord-openapi.json, from github.com/discord/discord-api-spec)")
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(dir, "discord-openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return router
}

// The life of a room, with everything that is asked on its way.
func TestWhatWeAskIsSpecified(t *testing.T) {
	t.Parallel()
	s := newFake(t)
	s.Log = true
	s.Hosts = append(s.Hosts, "wiki.example.com", "prometheus.example.com")
	h := houseOn(t, s, &contract.Settings{}, func(c *Config) { c.Private, c.Roles = true, []string{fake.Role} })
	h.poster.client.pace = free{}
	walk(t, h)
	conforms(t, s)
}

// walk does everything that a room sees in its life.
func walk(t *testing.T, h *house) {
	t.Helper()
	s := incident(42, "HighErrorRate")
	room := h.open(s)
	for _, m := range messagesOf(t, "../../bot/testdata/golden/voted.en.json") {
		p := h.post(room, m, incidents.Posted{})
		h.post(room, m, p)
	}
	long := card("long")
	long.Code = []bot.Code{{Label: "go", Text: strings.Repeat("x", 3000)}}
	h.post(room, long, incidents.Posted{})
	h.poster.forget(room.ID)
	h.post(room, told("ev-99", "the end"), incidents.Posted{})
	if err := h.poster.Archive(t.Context(), room); err != nil {
		t.Fatal(err)
	}
}
