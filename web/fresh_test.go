package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// What two must approve takes somebody who has just shown who they are: a
// session that began a while ago is sent to sign in again, and a program's token
// is not enough at all.
func TestAFreshSignInIsToldApartFromAnOldOne(t *testing.T) {
	t.Parallel()
	c := &clock{at: time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)}
	w, s := handler(t, withToken)
	s.Now, w.now = c.now, c.now
	plan := incidents.Plan{Runbook: "drop", Title: incidents.Text{EN: "Drop"}, Risk: incidents.RiskHigh, Incident: 1,
		Recover: []incidents.Step{{ID: "go", Kind: "command", Argv: []string{"drop"}}}}.Seal()
	cookie := ask(s, http.MethodPost, "/login", "token="+token).Result().Cookies()[0]
	with := func(r *http.Request) { r.AddCookie(cookie) }
	c.after(incidents.FreshFor)
	w.must(t, 1, incidents.Request{By: incidents.Actor{ID: "console:aki", Name: "aki"}, Plan: plan})
	pending := w.state(1).PendingApprovals()
	line := "/approve request:" + pending[len(pending)-1].ID
	id := pending[len(pending)-1].ID

	got := ask(s, http.MethodPost, "/incidents/1/say", "text="+line, with)
	if got.Code != http.StatusForbidden || !strings.Contains(got.Body.String(), `href="/login"`) {
		t.Errorf("an old sign-in: %d %s", got.Code, got.Body)
	}
	got = ask(s, http.MethodPost, "/api/v1/incidents/1/commands", `{"command":"`+line[1:]+`"}`, bearer(token))
	fails(t, got, http.StatusForbidden, incidents.Forbidden)
	if n := len(w.state(1).Approval(id).Given); n > 0 {
		t.Fatalf("%d approvals", n)
	}
	cookie = ask(s, http.MethodPost, "/login", "token="+token, with).Result().Cookies()[0]
	c.after(time.Minute)
	if got := ask(s, http.MethodPost, "/incidents/1/say", "text="+line, with); got.Code/100 != 3 {
		t.Fatalf("freshly signed in: %d %s", got.Code, got.Body)
	}
	if a := w.state(1).Approval(id); len(a.Given) != 1 || a.State != incidents.ApprovalPending {
		t.Errorf("%+v", a)
	}
}
