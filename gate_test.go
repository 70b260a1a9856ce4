package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/audit"
	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
	"github.com/hikeshi-ops/hikeshi/storage/redis"
	"github.com/hikeshi-ops/hikeshi/worker"
)

// stranger can write whatever they like into Redis, and has no key.
type stranger struct {
	t     *testing.T
	store *redis.Store
	id    incidents.ID
	file  string // that a run would make
}

// strike changes the incident by hand and orders an effect.
func (x *stranger) strike(change func(*incidents.Incident) incidents.Effect) {
	x.t.Helper()
	for {
		s := x.load()
		base := s.Version
		events, _, err := incidents.Advance(s, incidents.Note{By: incidents.Actor{ID: "console:mallory", Name: "mallory"}, Text: "x"}, time.Now(), incidents.Policy{})
		if err != nil {
			x.t.Fatal(err)
		}
		events[0].Text = strings.Repeat("x", 256<<10) // so much that the whole state is written, not only what happened
		f := change(s)
		f.Incident, f.Shard, f.Due = s.ID, s.Shard, time.Now()
		err = x.store.Commit(x.t.Context(), &incidents.Commit{Shard: s.Shard, Changes: []incidents.Change{{Expect: base, Events: events, State: s}}, Effects: []incidents.Effect{f}})
		if errors.Is(err, incidents.ErrConflict) {
			continue
		}
		if err != nil {
			x.t.Fatal(err)
		}
		return
	}
}

func (x *stranger) load() *incidents.Incident {
	x.t.Helper()
	s, err := x.store.Load(x.t.Context(), x.id)
	if err != nil {
		x.t.Fatal(err)
	}
	return s
}

func (x *stranger) await(good func(*incidents.Incident) bool) *incidents.Incident {
	x.t.Helper()
	ctx := within(x.t)
	for look := time.NewTicker(50 * time.Millisecond); ; {
		if s := x.load(); good(s) {
			look.Stop()
			return s
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			x.t.Fatal("waited in vain")
		}
	}
}

// refused waits for a run to be refused, and holds it to its reason; the room is told.
func (x *stranger) refused(run, because string) {
	x.t.Helper()
	s := x.await(func(s *incidents.Incident) bool {
		r := s.Run(run)
		return r != nil && r.State == incidents.RunFailed && slices.ContainsFunc(s.Escalated, func(m incidents.Mark) bool { return m.Because.Args["run"] == run })
	})
	r := s.Run(run)
	said := r.Because.Phrase
	for _, step := range r.Steps {
		said += " " + step.Because.Phrase
	}
	if !strings.Contains(said, because) {
		x.t.Errorf("%s was refused because of %s, want %s", run, said, because)
	}
	x.untouched()
}

func (x *stranger) untouched() {
	x.t.Helper()
	if _, err := os.Stat(x.file); err == nil {
		x.t.Error("it ran")
	}
}

// TestRedisIsNoAuthority: whoever can write to Redis can call a run approved, copy a
// seal that is good elsewhere, set a run back so that it runs again, and change what is
// looked at. None of it is carried out; the room and the audit say so.
func TestRedisIsNoAuthority(t *testing.T) {
	t.Parallel()
	server := testenv.Redis(t)
	c := auditedConfig(t)
	c.Store = config.Secret(server.URL)
	p, seen := suggested(t, serving(t, c))
	store, err := redis.Open(t.Context(), redis.Config{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	x := &stranger{t, store, seen.ID, c.Runbooks.Vars["file"]}

	t.Log("approved by nobody")
	careless := worker.NewEngine(worker.EngineOptions{Store: store, Shards: store.Shards(), Policy: incidents.Policy{}, Now: time.Now, Before: worker.Before{Freeze: worker.NewFreezer(store, time.Now)}})
	_, err = careless.Do(t.Context(), x.id, "", incidents.Approve{By: incidents.Actor{ID: "console:mallory", Name: "mallory"}, Action: "fix", Digest: x.load().Suggestions[0].Plan.Digest})
	if err != nil {
		t.Fatal(err)
	}
	x.refused("INC-1/1", "because.forged")

	t.Log("approved by somebody")
	if err := p.command(within(t), x.id, "approve 1"); err != nil {
		t.Fatal(err)
	}
	good := x.await(func(s *incidents.Incident) bool { return len(s.Runs) == 2 && s.Runs[1].State == incidents.RunVerified })
	if err := os.Remove(x.file); err != nil {
		t.Fatal(err)
	}

	t.Log("with the seal of another run")
	x.strike(func(s *incidents.Incident) incidents.Effect {
		a, r := s.Approvals[1], s.Runs[1]
		a.ID, r.ID, r.Approval, r.State, r.Owner = "3", "INC-1/3", "3", incidents.RunApproved, ""
		s.Approvals, s.Runs = append(s.Approvals, a), append(s.Runs, r)
		return incidents.Effect{Key: "1/run/INC-1/3", Kind: incidents.DoRun, Lane: incidents.LaneRun, Arg: r.ID}
	})
	x.refused("INC-1/3", "because.forged")

	t.Log("the same once more")
	x.strike(func(s *incidents.Incident) incidents.Effect {
		r := good.Runs[1]
		r.State, r.Owner, r.Steps, r.Because, r.StartedAt = incidents.RunApproved, "", nil, incidents.Reason{}, time.Time{}
		s.Runs[1] = r
		return incidents.Effect{Key: "1/run/INC-1/2", Kind: incidents.DoRun, Lane: incidents.LaneRun, Arg: r.ID}
	})
	x.refused("INC-1/2", "because.run_before")

	t.Log("another look than was approved")
	x.strike(func(s *incidents.Incident) incidents.Effect {
		r := &s.Runs[1]
		r.State, r.Deadline = incidents.RunVerifying, time.Now().Add(time.Minute)
		r.Plan.Verify.Steps[0].Argv = []string{"touch", x.file}
		r.Plan = r.Plan.Seal()
		return incidents.Effect{Key: "1/look/INC-1/2", Kind: incidents.DoLook, Lane: incidents.LaneRun, Arg: r.ID}
	})
	s := x.await(func(s *incidents.Incident) bool {
		return len(s.Runs[1].After) == 1 && s.Runs[1].After[0].Because.Phrase == "because.forged"
	})
	x.untouched()
	if s.Runs[1].After[0].OK {
		t.Errorf("%+v", s.Runs[1].After)
	}

	{ // the audit has it, and is whole
		awaitRedisRecord(t, c, func(r audit.Record) bool {
			return r.Action == audit.ActStopped && r.Why == "seal" && r.Error == "because.forged" && r.Run == "INC-1/3"
		})
	}
	if code, out := command(t, "audit", "verify", "--store", server.URL, "--data", c.Data); code != exitOK {
		t.Errorf("verify: %d %s", code, out)
	}
}

func awaitRedisRecord(t *testing.T, c config.Config, good func(audit.Record) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for look := time.NewTicker(100 * time.Millisecond); ; {
		_, out := command(t, "audit", "export", "--store", string(c.Store), "--data", c.Data)
		if slices.ContainsFunc(records(t, out), good) {
			look.Stop()
			return
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			t.Fatalf("no such record in %s", out)
		}
	}
}

// TestApprovalsKeepTheirSealsOverAKeyChange: what was approved under the old key runs
// while the new one stands before it; under another key it does not, and the sentence
// says which key is missing.
func TestApprovalsKeepTheirSealsOverAKeyChange(t *testing.T) {
	t.Parallel()
	one, two := strings.Repeat("0a1b", 16), strings.Repeat("0b1c", 16)
	keys := func(text string) *recorder {
		k, err := audit.ParseKeys(text)
		if err != nil {
			t.Fatal(err)
		}
		return &recorder{keys: k}
	}
	now := time.Date(2026, 2, 3, 4, 5, 6, 7, time.UTC)
	bea, cho := incidents.Actor{ID: "person:bea"}, incidents.Actor{ID: "person:cho"}
	old := keys(one)
	plan := incidents.Plan{Incident: 7, Runbook: "fix", Risk: incidents.RiskHigh}.Seal()
	fresh := func() *incidents.Incident {
		s := &incidents.Incident{ID: 7, Version: 2}
		s.Approvals = []incidents.Approval{{ID: "1", Plan: plan, Asked: incidents.Mark{By: bea, At: now}, ExpiresAt: now.Add(time.Minute), State: incidents.ApprovalPending}}
		for i, by := range []incidents.Actor{cho, {ID: "person:dan"}} {
			e := incidents.Event{Seq: int64(3 + i), Kind: incidents.EventAgreed, ApprovalID: "1", By: by, At: now.Add(time.Second)}
			if i == 1 {
				e.Kind, e.RunID = incidents.EventApproved, "INC-7/1"
			}
			incidents.Apply(s, &e)
			s.Seal([]incidents.Event{e}, old.seal)
		}
		return s
	}
	for name, tc := range map[string]struct {
		with   *recorder
		change func(s *incidents.Incident)
		why    string
	}{
		"as it is":           {old, nil, ""},
		"a new key before":   {keys(two + "\n" + one), nil, ""},
		"another key":        {keys(two), nil, "because.sealed_elsewhere"},
		"another approver":   {old, func(s *incidents.Incident) { s.Approvals[0].Given[0].By = bea }, "because.forged"},
		"a later time":       {old, func(s *incidents.Incident) { s.Runs[0].ApprovedAt = now.Add(time.Hour) }, "because.forged"},
		"both later":         {old, func(s *incidents.Incident) { s.Runs[0].ApprovedAt, s.Approvals[0].Given[1].At = now, now }, "because.forged"},
		"a later end":        {old, func(s *incidents.Incident) { s.Approvals[0].ExpiresAt = now.Add(time.Hour) }, "because.forged"},
		"another requester":  {old, func(s *incidents.Incident) { s.Approvals[0].Asked.By = cho }, "because.forged"},
		"one left out":       {old, func(s *incidents.Incident) { s.Approvals[0].Given = s.Approvals[0].Given[:1] }, "because.forged"},
		"swapped":            {old, func(s *incidents.Incident) { slices.Reverse(s.Approvals[0].Given) }, "because.forged"},
		"another incident":   {old, func(s *incidents.Incident) { s.ID = 8 }, "because.forged"},
		"another run":        {old, func(s *incidents.Incident) { s.Runs[0].ID = "INC-7/2" }, "because.forged"},
		"another plan":       {old, func(s *incidents.Incident) { s.Runs[0].Plan.Runbook = "rm"; s.Runs[0].Plan = s.Runs[0].Plan.Seal() }, "because.forged"},
		"an unsealed plan":   {old, func(s *incidents.Incident) { s.Runs[0].Plan.Runbook = "rm" }, "because.forged"},
		"nobody":             {old, func(s *incidents.Incident) { s.Approvals[0].Given = nil }, "because.forged"},
		"no approval at all": {old, func(s *incidents.Incident) { s.Approvals = nil }, "because.forged"},
	} {
		s := fresh()
		if tc.change != nil {
			tc.change(s)
		}
		if because, err := tc.with.sealed().Ask(t.Context(), s, &s.Runs[0]); err != nil || because.Phrase != tc.why {
			t.Errorf("%s: %v %+v", name, err, because)
		}
	}
}

// TestTheApprovalsKeyIsMadeForItsOwnerOnly.
func TestTheApprovalsKeyIsMadeForItsOwnerOnly(t *testing.T) {
	t.Parallel()
	c := auditedConfig(t)
	serving(t, c)
	info, err := os.Stat(filepath.Join(c.Data, "audit.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", err, info)
	}
}
