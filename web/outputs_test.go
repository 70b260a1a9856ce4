package web

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// spoken has one output of every run.
type spoken struct{}

const hostileOutput = "<script>alert(1)</script>\nand the rest"

func (spoken) Kept(context.Context, string) ([]KeptOutput, error) {
	return []KeptOutput{{Step: "restart", Bytes: len(hostileOutput)}}, nil
}

func (spoken) Read(_ context.Context, who incidents.Actor, _, step string) (string, error) {
	if who.ID == "" || step != "restart" {
		return "", incidents.Fail(incidents.NotFound, "error.no_output", "it is not kept", "run", "r", "step", step)
	}
	return hostileOutput, nil
}

// without takes one right away from everybody.
type without struct {
	bot.Open
	right bot.Right
}

func (w without) May(p incidents.Actor, right bot.Right, where bot.Where) error {
	if right == w.right {
		return incidents.Fail(incidents.Forbidden, "error.right", "you may not do this", "right", string(right))
	}
	return w.Open.May(p, right, where)
}

func TestOutputsAreForThoseWhoMay(t *testing.T) {
	t.Parallel()
	w, s := handler(t, nil)
	inc, err := w.Load(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	digest := inc.Approvals[0].Plan.Digest
	inc = w.must(t, 1, incidents.Approve{By: incidents.Actor{ID: "console:kenji", Name: "kenji"}, ID: inc.Approvals[0].ID, Digest: digest})
	if len(inc.Runs) != 1 {
		t.Fatalf("%d runs", len(inc.Runs))
	}
	const text = "/api/v1/incidents/INC-1/outputs/1/restart"
	if got := ask(s, http.MethodGet, "/incidents/1/outputs", ""); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `href="`+text+`"`) {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	if got := ask(s, http.MethodGet, text, ""); got.Code != http.StatusOK || got.Body.String() != hostileOutput ||
		!strings.HasPrefix(got.Header().Get("Content-Type"), "text/plain") || got.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d %v %s", got.Code, got.Header(), got.Body)
	}
	fails(t, ask(s, http.MethodGet, strings.Replace(text, "/1/", "/9/", 1), ""), http.StatusNotFound, incidents.NotFound)
	fails(t, ask(s, http.MethodGet, text+"ed", ""), http.StatusNotFound, incidents.NotFound)
	if got := ask(s, http.MethodGet, "/incidents/1", ""); !strings.Contains(got.Body.String(), "/incidents/INC-1/outputs") {
		t.Error("the room does not lead there")
	}
	o := w.options()
	o.Rights = without{right: bot.Output}
	less, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	fails(t, ask(less, http.MethodGet, text, ""), http.StatusForbidden, incidents.Forbidden)
	fails(t, ask(less, http.MethodGet, "/api/v1/incidents/1/outputs", ""), http.StatusForbidden, incidents.Forbidden)
	if got := ask(less, http.MethodGet, "/incidents/1", ""); got.Code != http.StatusOK || strings.Contains(got.Body.String(), "/outputs") {
		t.Errorf("the room leads where one may not go: %d", got.Code)
	}
}
