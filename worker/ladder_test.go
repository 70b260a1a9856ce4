package worker_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/incidents/trust"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
	"github.com/hikeshi-ops/hikeshi/storage/redis"
	"github.com/hikeshi-ops/hikeshi/worker"
)

// ladderOf keeps trust in store, with brakes that only change changes.
func ladderOf(store worker.Settings, change func(*worker.LadderOptions)) *worker.Ladder {
	loose := trust.Brakes{PerHour: trust.MaxPerHour, Targets: trust.MaxTargets, Failures: 2, ProblemRuns: trust.MaxProblemRuns, ProblemDays: 7}
	o := worker.LadderOptions{
		Settings: store, Freezer: worker.NewFreezer(store, time.Now), Now: time.Now,
		Brakes: func(string) trust.Brakes { return loose },
		Sign:   func(values ...string) string { return "seal:" + strings.Join(values, "|") },
		Signed: func(seal string, values ...string) error {
			if seal != "seal:"+strings.Join(values, "|") {
				return errors.New("forged")
			}
			return nil
		},
	}
	if change != nil {
		change(&o)
	}
	return worker.NewLadder(o)
}

// nth is the nth alert of one service: each is an incident of its own.
func nth(n int, start time.Time) incidents.Alert {
	a := alertAt("shop", start)
	a.Labels = incidents.LabelsFromMap(map[string]string{"alertname": fmt.Sprintf("Down%d", n), "service": "shop", "severity": "critical"})
	return a
}

// TestTheLadderOfTrust climbs it from the first click on, with two replicas: five
// clicks that helped are proposed, an approver accepts, the next alert is mended by
// itself and once, and the first that does not help ends it.
func TestTheLadderOfTrust(t *testing.T) {
	server := testenv.Redis(t)
	world := &ports{}
	two := []replica{startReplica(t, server.URL, "one", world), startReplica(t, server.URL, "two", world)}
	ladder := ladderOf(two[1].store, nil)
	start := time.Now().UTC().Add(-time.Second)
	for n := 1; n <= trust.PromoteAfter; n++ {
		id := incidents.ID(n)
		two[n%2].send(t, nth(n, start))
		s := two[0].until(t, id, "suggestions", suggested)
		if len(s.Approvals) > 0 {
			t.Fatalf("%s was approved by %v", id, s.Approvals[0].Approvers())
		}
		_, err := two[n%2].engine.Do(t.Context(), id, "", incidents.Approve{By: ada, Action: "shop-restart", Digest: s.Suggestions[0].Plan.Digest})
		ok(t, err)
		mended(t, two[0], n, start)
		two[0].until(t, id, "the run to be counted", func(s *incidents.Incident) bool {
			st, err := ladder.Standing(t.Context(), "shop-restart", "shop")
			return err == nil && len(st.Row) == n && (s.Trust["shop-restart"].Said == incidents.EventProposed) == (n == trust.PromoteAfter)
		})
	}
	_, err := ladder.Accept(t.Context(), "shop-restart", "shop", "", ada)
	ok(t, err)

	id := incidents.ID(trust.PromoteAfter + 1)
	two[0].send(t, nth(int(id), start))
	s := mended(t, two[1], int(id), start)
	a := s.Approvals[0]
	if a.Standing == nil || a.Standing.By != ada || a.Asked.By != incidents.Bot || len(s.Approvals) != 1 || len(s.Runs) != 1 {
		t.Fatalf("approved as %+v", s.Approvals)
	}
	world.mu.Lock()
	ran := map[string]int{}
	for _, execution := range world.runs {
		ran[execution]++
	}
	world.fail = true
	world.mu.Unlock()
	if len(ran) != int(id) || ran[id.String()+"/1"] != 1 {
		t.Errorf("ran %v", ran)
	}

	id++
	two[1].send(t, nth(int(id), start))
	s = two[0].until(t, id, "the demotion", func(s *incidents.Incident) bool { return s.Trust["shop-restart"].Said == incidents.EventDemoted })
	if s.Runs[0].State != incidents.RunFailed || s.Trust["shop-restart"].Because.Phrase != "because.trust_failed" {
		t.Errorf("demoted as %+v after %+v", s.Trust, s.Runs[0])
	}
	id++
	two[0].send(t, nth(int(id), start))
	s = two[1].until(t, id, "suggestions", suggested)
	if st, err := ladder.Standing(t.Context(), "shop-restart", "shop"); err != nil || st.Accepted != nil || len(s.Approvals) > 0 {
		t.Errorf("after a failure it is trusted: %+v, %v, %+v", st, err, s.Approvals)
	}
}

// mended waits until a run of the nth incident helped, which ends its alert.
func mended(t *testing.T, r replica, n int, start time.Time) *incidents.Incident {
	t.Helper()
	id := incidents.ID(n)
	r.until(t, id, "the run to be verified", func(s *incidents.Incident) bool {
		return len(s.Runs) == 1 && s.Runs[0].State == incidents.RunVerifying
	})
	over := nth(n, start)
	over.Resolved, over.EndsAt = true, time.Now().UTC()
	r.send(t, over)
	return r.until(t, id, "the end", func(s *incidents.Incident) bool { return s.Runs[0].State == incidents.RunVerified })
}

// trusted is a store in which shop-restart is trusted with shop.
func trusted(t *testing.T) *flaky {
	t.Helper()
	f := openFlaky(t, 1)
	ladder := ladderOf(f, nil)
	for n := range trust.PromoteAfter {
		_, err := ladder.Judge(t.Context(), "shop-restart", incidents.Outcome{
			Run: fmt.Sprintf("INC-%d/1", 100+n), Service: "shop", Digest: "d", State: incidents.RunVerified, Clean: true, Tried: true, Started: time.Now().Add(-time.Hour),
		})
		ok(t, err)
	}
	_, err := ladder.Accept(t.Context(), "shop-restart", "shop", "d", ada)
	ok(t, err)
	return f
}

func wishOf(id int) trust.Wish {
	plan := incidents.Plan{Runbook: "shop-restart", RunbookDigest: "d", Risk: incidents.RiskLow, Incident: incidents.ID(id)}.Seal()
	return trust.Wish{Incident: incidents.ID(id), Scope: incidents.Scope{Service: "shop"}, Plan: &plan}
}

// TestReplicasShareTheBrakes: two ladders over one store, many incidents at once: as
// many begin as one may, and each of those, asked again by somebody else after a
// crash, is still the same start.
func TestReplicasShareTheBrakes(t *testing.T) {
	server := testenv.Redis(t)
	const most, wishes = 3, 12
	limit := func(o *worker.LadderOptions) {
		o.Brakes = func(string) trust.Brakes {
			return trust.Brakes{PerHour: most, Targets: trust.MaxTargets, Failures: 2, ProblemRuns: trust.MaxProblemRuns, ProblemDays: 1}
		}
	}
	var two []*worker.Ladder
	for range 2 {
		store, err := redis.Open(t.Context(), redis.Config{URL: server.URL})
		ok(t, err)
		defer store.Close()
		two = append(two, ladderOf(store, limit))
	}
	for n := range trust.PromoteAfter {
		_, err := two[n%2].Judge(t.Context(), "shop-restart", incidents.Outcome{
			Run: fmt.Sprintf("INC-%d/1", 100+n), Service: "shop", Digest: "d", State: incidents.RunVerified, Clean: true, Tried: true, Started: time.Now().Add(-time.Hour),
		})
		ok(t, err)
	}
	_, err := two[0].Accept(t.Context(), "shop-restart", "shop", "d", ada)
	ok(t, err)
	var began, withheld atomic.Int64
	var all sync.WaitGroup
	first := make([]atomic.Bool, wishes)
	for n := range 2 * wishes {
		all.Go(func() {
			a, word, err := two[n%2].Start(t.Context(), wishOf(1+n/2))
			switch {
			case err != nil:
				t.Error(err)
			case a != nil && first[n/2].CompareAndSwap(false, true):
				began.Add(1)
			case a == nil && word.Because.Phrase == "because.trust_hourly":
				withheld.Add(1)
			case a == nil:
				t.Errorf("withheld because of %+v", word)
			}
		})
	}
	all.Wait()
	if began.Load() != most || withheld.Load() == 0 {
		t.Errorf("%d began and %d were withheld; at most %d may", began.Load(), withheld.Load(), most)
	}
	for n := range wishes { // whoever carries on after a kill -9
		if a, _, err := two[n%2].Start(t.Context(), wishOf(1+n)); err != nil || (a != nil) != first[n].Load() {
			t.Errorf("incident %d, asked again: %+v, %v", 1+n, a, err)
		}
	}
}

// TestWhatIsWithheldSaysWhy: each reason that is not a brake, and what must not be
// believed of the store.
func TestWhatIsWithheldSaysWhy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options func(*worker.LadderOptions)
		before  func(*flaky)
		want    string
	}{
		"nothing": {nil, nil, ""},
		"off":     {func(o *worker.LadderOptions) { o.Off = true }, nil, "because.trust_off"},
		"right lost": {func(o *worker.LadderOptions) {
			o.May = func(incidents.Actor, incidents.Scope) error { return errors.New("no") }
		}, nil, "because.trust_right"},
		"another key": {func(o *worker.LadderOptions) { o.Signed = func(string, ...string) error { return errors.New("no") } }, nil, "because.trust_forged"},
		"frozen": {nil, func(f *flaky) {
			_, err := worker.NewFreezer(f, time.Now).Freeze(t.Context(), "", incidents.Freeze{By: ada})
			ok(t, err)
		}, "because.frozen"},
		"somebody else's word": {nil, func(f *flaky) {
			doc, err := f.Setting(t.Context(), "trust/shop-restart")
			ok(t, err)
			ok(t, f.PutSetting(t.Context(), doc.Name, doc.Version, []byte(strings.ReplaceAll(string(doc.Body), `"console:ada"`, `"console:eve"`))))
		}, "because.trust_forged"},
	} {
		f := trusted(t)
		if c.before != nil {
			c.before(f)
		}
		before, err := f.Setting(t.Context(), "trust/shop-restart")
		ok(t, err)
		a, word, err := ladderOf(f, c.options).Start(t.Context(), wishOf(7))
		ok(t, err)
		after, err := f.Setting(t.Context(), "trust/shop-restart")
		ok(t, err)
		if word.Because.Phrase != c.want || (a == nil) != (c.want != "") || (after.Version != before.Version) != (c.want == "") {
			t.Errorf("%s: %+v, %+v, from version %d to %d", name, a, word, before.Version, after.Version)
		}
	}
}

// TestARunThatLostItsStanding: between the approval and the first step somebody takes
// it back; nothing runs, and the room is told why.
func TestARunThatLostItsStanding(t *testing.T) {
	f, p := trusted(t), &ports{}
	ladder := ladderOf(f, nil)
	f.run(t, p, func(o *worker.Options) {
		o.Ports.Trust = ladder
		o.Gate = append(o.Gate,
			worker.Brake{Name: "meanwhile", Ask: func(ctx context.Context, _ *incidents.Incident, _ *incidents.Run) (incidents.Reason, error) {
				_, err := ladder.Revoke(ctx, "shop-restart", "shop", ada)
				return incidents.Reason{}, err
			}},
			worker.Brake{Name: "trust", Ask: ladder.StillStands})
	})
	b := &incidents.Batch{Source: "test", ReceivedAt: time.Now().UTC(), Alerts: []incidents.Alert{alertAt("shop", time.Now().UTC())}}
	ok(t, f.Append(t.Context(), b))
	s := replicaOf(f, nil).until(t, "the run to be refused", func(s *incidents.Incident) bool {
		return len(s.Runs) == 1 && s.Runs[0].State == incidents.RunFailed
	})
	if s.Runs[0].Because.Phrase != "because.trust_revoked" {
		t.Errorf("it ended as %+v", s.Runs[0])
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.runs) > 0 {
		t.Errorf("ran %v", p.runs)
	}
}

// TestTheCalendarWithholds: in a change freeze nothing begins by itself, and the room
// is told so instead of reading of a run that failed.
func TestTheCalendarWithholds(t *testing.T) {
	f, p := trusted(t), &ports{}
	closed := func(*incidents.Incident, time.Time) error {
		return incidents.Fail(incidents.Conflict, "error.change_freeze", "the year ends", "name", "december")
	}
	f.runBefore(t, p, worker.Before{Closed: closed}, func(o *worker.Options) { o.Ports.Trust = ladderOf(f, nil) })
	b := &incidents.Batch{Source: "test", ReceivedAt: time.Now().UTC(), Alerts: []incidents.Alert{alertAt("shop", time.Now().UTC())}}
	ok(t, f.Append(t.Context(), b))
	s := replicaOf(f, nil).until(t, "the start to be withheld", func(s *incidents.Incident) bool {
		return s.Trust["shop-restart"].Said == incidents.EventWithheld
	})
	if word := s.Trust["shop-restart"]; word.Because.Phrase != "because.calendar_itself" || word.Because.Args["name"] != "december" || len(s.Runs) > 0 {
		t.Errorf("%+v, %d runs", word, len(s.Runs))
	}
}

// TestPeopleWereFaster: a start that came to nothing is taken back.
func TestPeopleWereFaster(t *testing.T) {
	f, p := trusted(t), &ports{}
	race := &racing{Ladder: ladderOf(f, nil), released: make(chan struct{}, 1)}
	engine := f.run(t, p, func(o *worker.Options) { o.Ports.Trust = race })
	race.meanwhile = func(w trust.Wish) {
		_, err := engine.Do(t.Context(), w.Incident, "", incidents.Request{By: ada, Plan: *w.Plan})
		ok(t, err)
	}
	b := &incidents.Batch{Source: "test", ReceivedAt: time.Now().UTC(), Alerts: []incidents.Alert{alertAt("shop", time.Now().UTC())}}
	ok(t, f.Append(t.Context(), b))
	select { // it is the last thing that happens, and changes no incident
	case <-race.released:
	case <-time.After(45 * time.Second):
		t.Fatal("waited in vain for the start to be taken back")
	}
	s, err := engine.Load(t.Context(), 1)
	ok(t, err)
	if len(s.Runs) > 0 || len(s.Approvals) != 1 || s.Approvals[0].Standing != nil {
		t.Errorf("%+v", s.Approvals)
	}
}

// racing lets people act between a start and its approval.
type racing struct {
	*worker.Ladder
	meanwhile func(trust.Wish)
	released  chan struct{}
}

func (r *racing) Start(ctx context.Context, w trust.Wish) (*incidents.Acceptance, incidents.Word, error) {
	a, word, err := r.Ladder.Start(ctx, w)
	r.meanwhile(w)
	return a, word, err
}

func (r *racing) Release(ctx context.Context, runbook string, id incidents.ID) error {
	err := r.Ladder.Release(ctx, runbook, id)
	select {
	case r.released <- struct{}{}:
	default:
	}
	return err
}
