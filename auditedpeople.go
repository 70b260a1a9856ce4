package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/audit"
	"github.com/hikeshi-ops/hikeshi/audit/trail"
	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/web"
	"github.com/hikeshi-ops/hikeshi/worker"
)

// What people do, and what they were refused.

// Do records what decides over production. A denial, which only stops something,
// goes through although it cannot be recorded now; it is recorded later.
func (d desk) Do(ctx context.Context, id incidents.ID, once string, cmd incidents.Command) (*incidents.Incident, error) {
	cmd = withoutSecrets(cmd, d.audit.redact)
	r, privileged := d.wish(ctx, id, cmd)
	if !privileged {
		return d.Engine.Do(ctx, id, once, cmd)
	}
	act := func() (s *incidents.Incident, err error) { return d.Engine.Do(ctx, id, once, cmd) }
	if _, stops := cmd.(incidents.Deny); stops {
		return stopAudited(ctx, d.audit, r, act)
	}
	var s *incidents.Incident
	err := d.audit.log.Act(ctx, r, func() (err error) { s, err = act(); return err })
	return s, err
}

// Declare opens an incident that a person tells of.
func (d desk) Declare(ctx context.Context, once string, told incidents.Declare) (*incidents.Incident, error) {
	told.Title = d.audit.redact.Clean(told.Title)
	return d.Engine.Declare(ctx, once, told)
}

// stopFor is how long something that stops others waits for its intent.
const stopFor = time.Second

// stopAudited does what only makes things safer: it does not depend on the audit.
func stopAudited[T any](ctx context.Context, to *recorder, r audit.Record, act func() (T, error)) (T, error) {
	brief, cancel := context.WithTimeout(ctx, stopFor)
	i, unwritten := to.log.Begin(brief, r)
	cancel()
	got, err := act()
	result, class := trail.ResultOf(err)
	if unwritten == nil {
		i.End(audit.Record{Result: result, Error: class})
		return got, err
	}
	r.Result, r.Error = result, class
	to.log.Note(context.WithoutCancel(ctx), r)
	return got, err
}

// auditedFreezer records who freezes remediation, and who lifts that.
type auditedFreezer struct {
	*worker.Freezer
	audit *recorder
}

func (x auditedFreezer) Freeze(ctx context.Context, once string, f incidents.Freeze) (incidents.Freeze, error) {
	f.Text = x.audit.redact.Clean(f.Text)
	r := audit.Record{Action: audit.ActFreeze, By: personOf(f.By), Why: f.Text}
	if !f.Until.IsZero() {
		r.Target = "until " + audit.TimeOf(f.Until).String()
	}
	return stopAudited(ctx, x.audit, r, func() (incidents.Freeze, error) { return x.Freezer.Freeze(ctx, once, f) })
}

func (x auditedFreezer) Thaw(ctx context.Context, once string, by incidents.Actor) (lifted incidents.Freeze, err error) {
	r := audit.Record{Action: audit.ActThaw, By: personOf(by)}
	err = x.audit.log.Act(ctx, r, func() (err error) { lifted, err = x.Freezer.Thaw(ctx, once, by); return err })
	return lifted, err
}

// wish says what the audit has of a command; false for one that it does not have.
func (d desk) wish(ctx context.Context, id incidents.ID, cmd incidents.Command) (audit.Record, bool) {
	var r audit.Record
	switch c := cmd.(type) {
	case incidents.Request:
		r = planRecord(audit.ActRequest, c.By, c.Plan)
	case incidents.Approve:
		r = d.decision(ctx, id, audit.ActApprove, c.By, c.ID, c.Action)
		r.PlanDigest, r.Why = c.Digest, d.audit.redact.Clean(c.Despite) // what the approver saw, and why it must be
	case incidents.Deny:
		r = d.decision(ctx, id, audit.ActDeny, c.By, c.ID, "")
		r.Why = d.audit.redact.Clean(c.Text)
	case incidents.Settle:
		r = audit.Record{Action: audit.ActSettle, By: personOf(c.By), Run: c.Run, Why: string(c.As) + ": " + d.audit.redact.Clean(c.Text)}
	default:
		return r, false
	}
	r.Incident = id.String()
	return r, true
}

func (d desk) decision(ctx context.Context, id incidents.ID, what audit.Action, by incidents.Actor, approval, action string) audit.Record {
	r := audit.Record{Action: what, By: personOf(by), Approval: approval, Runbook: action}
	s, err := d.Engine.Load(ctx, id)
	if err != nil {
		return r
	}
	if a := s.Approval(approval); a != nil {
		r = planRecord(what, by, a.Plan)
		r.Approval = approval
	}
	for _, g := range s.Suggestions {
		if approval == "" && g.Action == action {
			r = planRecord(what, by, g.Plan)
		}
	}
	return r
}

// auditedRouter records whom a right was refused. It is the one way in of every
// chat and of the console.
type auditedRouter struct {
	*bot.Router
	audit *recorder
}

func (x auditedRouter) Handle(ctx context.Context, q bot.Request) (bot.Reply, error) {
	reply, err := x.Router.Handle(ctx, q)
	verb, _, _ := strings.Cut(strings.TrimSpace(q.Line), " ") // the rest may be anything
	x.refused(ctx, q, verb, err)
	return reply, err
}

func (x auditedRouter) Press(ctx context.Context, q bot.Request, buttonID string) (bot.Reply, error) {
	reply, err := x.Router.Press(ctx, q, buttonID)
	x.refused(ctx, q, "button", err)
	return reply, err
}

func (x auditedRouter) React(ctx context.Context, q bot.Request, e bot.Reaction) (bot.Reply, error) {
	if e.Said != nil { // it may go on the timeline
		said := *e.Said
		said.Text = x.audit.redact.Clean(said.Text)
		e.Said = &said
	}
	reply, err := x.Router.React(ctx, q, e)
	x.refused(ctx, q, "reaction", err)
	return reply, err
}

func (x auditedRouter) refused(ctx context.Context, q bot.Request, verb string, err error) {
	switch incidents.CodeOf(err) {
	case incidents.Forbidden, incidents.Unauthenticated:
	default:
		return
	}
	_, phrase := trail.ResultOf(err)
	r := audit.Record{
		Action: audit.ActRefused, Result: audit.Failed, By: personOf(q.Person), Where: q.Chat, Target: bot.Line(verb, 40), Error: phrase,
	}
	if r.By.ID == "" {
		r.By.ID = "unknown"
	}
	if q.Incident != 0 {
		r.Incident = q.Incident.String()
	}
	x.audit.log.Note(context.WithoutCancel(ctx), r)
}

// maxSignIn bounds what is read of a sign-in, as the console does.
const maxSignIn = 64 << 10

// signIns records who signed in to the console, and from where it was tried in
// vain, by what the console answered.
func (a *app) signIns(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		typed := r.Method == http.MethodPost && r.URL.Path == "/login"
		if len(a.config.ConsolePeople) == 0 || !typed && r.Header.Get("Authorization") == "" {
			next.ServeHTTP(w, r)
			return
		}
		var body []byte
		if typed {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime))
			body, _ = io.ReadAll(io.LimitReader(r.Body, maxSignIn+1)) // an error comes again when the console reads on
			r.Body = rest{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}
		}
		seen := &answered{ResponseWriter: w}
		next.ServeHTTP(seen, r)
		rec := audit.Record{Action: audit.ActSignIn, By: audit.Person{ID: "unknown", From: hostOf(r.RemoteAddr)}, Where: consoleChat}
		switch {
		case seen.status == http.StatusUnauthorized:
			rec.Result, rec.Error = audit.Failed, "web.login.wrong"
		case typed && seen.status == http.StatusSeeOther:
			rec.Result, rec.By.ID = audit.Done, consoleChat+":"+a.tokenOwner(body)
		default:
			return
		}
		a.audit.log.Note(context.WithoutCancel(r.Context()), rec)
	})
}

// atProvider records who shows who they are at a provider, or does not.
type atProvider struct {
	web.SignIn
	audit *recorder
}

// auditedSignIn is nil where there is no provider.
func auditedSignIn(next web.SignIn, to *recorder) web.SignIn {
	if next == nil {
		return nil
	}
	return atProvider{next, to}
}

func (x atProvider) Finish(ctx context.Context, answer url.Values, nonce, verifier string) (incidents.Actor, time.Time, error) {
	who, proved, err := x.SignIn.Finish(ctx, answer, nonce, verifier)
	rec := audit.Record{Action: audit.ActSignIn, Result: audit.Done, By: personOf(who), Where: consoleChat, Target: "provider"}
	if err != nil {
		rec.Result, rec.By = audit.Failed, audit.Person{ID: "unknown"}
		_, rec.Error = trail.ResultOf(err)
	}
	x.audit.log.Note(context.WithoutCancel(ctx), rec)
	return who, proved, err
}

// tokenOwner is whose token the form has, which the console has taken already.
func (a *app) tokenOwner(body []byte) string {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return "unknown"
	}
	got := sha256.Sum256([]byte(form.Get("token")))
	name := "unknown"
	for _, p := range a.config.ConsolePeople {
		want := sha256.Sum256([]byte(p.Token))
		if subtle.ConstantTimeCompare(got[:], want[:]) == 1 {
			name = p.Name
		}
	}
	return name
}

func hostOf(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return host
}

// rest is a body of which a part was read already.
type rest struct {
	io.Reader
	io.Closer
}

// answered remembers the status.
type answered struct {
	http.ResponseWriter
	status int
}

func (w *answered) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *answered) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *answered) Unwrap() http.ResponseWriter { return w.ResponseWriter }
