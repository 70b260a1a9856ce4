package learning

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// later is when all facts of these tests have settled.
var later = day0.Add(48 * time.Hour)

// diskFull are incidents of many services, which free-space solves and restart
// does not.
func diskFull(service string) incidents.Context {
	return incidents.Context{Name: "DiskFull-" + service, Service: service, Source: "alertmanager",
		Labels: incidents.LabelsFromMap(map[string]string{"mountpoint": "/var", "job": "node"})}
}

func kinFacts() []incidents.Fact {
	var facts []incidents.Fact
	for i := range 12 {
		at := day0.Add(time.Duration(i) * time.Minute)
		c := diskFull(fmt.Sprint("shop-", i))
		facts = append(facts, outcome(incidents.ID(2*i+1), "restart", c, false, at),
			outcome(incidents.ID(2*i+1), "free-space", c, true, at.Add(time.Second)))
		other := incidents.Context{Name: "Errors", Service: fmt.Sprint("shop-", i)}
		facts = append(facts, outcome(incidents.ID(2*i+2), "restart", other, true, at.Add(2*time.Second)))
	}
	return facts
}

func serve(t *testing.T, shards int, facts []incidents.Fact) *Service {
	t.Helper()
	log := &memoryLog{shards: make([][]incidents.Fact, shards)}
	for _, f := range facts {
		log.add(int(f.Incident)%shards, f)
	}
	return NewService(log, shards)
}

func rank(t *testing.T, s *Service, c incidents.Context, now time.Time, actions ...string) []Ranked {
	t.Helper()
	got, _, err := s.Rank(t.Context(), c, candidates(actions...), now)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestWhatWasLearnedHelpsAServiceNobodyKnows(t *testing.T) {
	t.Parallel()
	s := serve(t, 3, kinFacts())
	got := rank(t, s, diskFull("brand-new"), later, "restart", "free-space")
	wantOrder(t, got, "free-space", "restart")
	var why *incidents.Term
	for i := range got[0].Evidence.Terms {
		if got[0].Evidence.Terms[i].Because.Phrase == "why.learned.like" {
			why = &got[0].Evidence.Terms[i]
		}
	}
	if why == nil || why.Weight <= .02 || why.Because.Args["incident"] == "" {
		t.Errorf("terms = %+v", got[0].Evidence.Terms)
	}
}

// However the log comes in, whenever it is read: the same ranking.
func TestReplicasLearnTheSame(t *testing.T) {
	t.Parallel()
	facts := kinFacts()
	one := rank(t, serve(t, 1, facts), diskFull("x"), later, "restart", "free-space")
	log := &memoryLog{shards: make([][]incidents.Fact, 5)}
	slow := NewService(log, 5)
	for i, f := range facts {
		log.add(int(f.Incident)%5, f)
		if i%7 == 0 {
			rank(t, slow, diskFull("x"), f.At, "restart") // reads what is there, early
		}
	}
	two := rank(t, slow, diskFull("x"), later, "free-space", "restart")
	for i := range one {
		if one[i].Action != two[i].Action || math.Abs(one[i].Score-two[i].Score) > 1e-6 {
			t.Errorf("%+v on one replica, %+v on another", one[i], two[i])
		}
	}
	if f := slow.Forgotten(); f.Late != 0 {
		t.Errorf("%d facts came late", f.Late)
	}
}

func TestLateFactsAreCountedAndLearned(t *testing.T) {
	t.Parallel()
	log := &memoryLog{shards: make([][]incidents.Fact, 1)}
	s := NewService(log, 1)
	rank(t, s, shop, later, "restart")
	log.add(0, outcome(1, "restart", shop, true, day0))
	if got := rank(t, s, shop, later.Add(time.Hour), "restart"); got[0].Evidence.Worked != 1 || s.Forgotten().Late != 1 {
		t.Errorf("late facts: %+v, forgot %+v", got, s.Forgotten())
	}
}

func TestABrigadeIsHeardAsThree(t *testing.T) {
	t.Parallel()
	votes := func(people int) []incidents.Fact {
		var facts []incidents.Fact
		for p := range people {
			facts = append(facts, thumbs(1, "liked", fmt.Sprint("console:", p), 1, shop, day0.Add(time.Duration(p)*time.Second)))
		}
		return append(facts, thumbs(1, "liked", "console:0", 1, shop, day0.Add(time.Hour))) // and once more
	}
	chance := func(people int) float64 {
		g := newGeneral()
		g.add(votes(people))
		return g.judge(shop, candidates("liked", "other"), later)[0].Learned
	}
	if one, three, many := chance(1), chance(3), chance(200); one <= 0 || three != many {
		t.Errorf("one %v, three %v, two hundred %v", one, three, many)
	}
}

func TestAVoteThatWasTakenBackIsOutweighed(t *testing.T) {
	t.Parallel()
	judge := func(facts ...incidents.Fact) float64 {
		g := newGeneral()
		g.add(facts)
		return g.judge(shop, candidates("liked", "other"), later)[0].Learned
	}
	up, back := thumbs(1, "liked", "console:0", 1, shop, day0), thumbs(1, "liked", "console:0", 0, shop, day0.Add(time.Minute))
	if a, b := judge(up), judge(up, back); b >= a {
		t.Errorf("%v with the vote, %v after it was taken back", a, b)
	}
}

func TestActionsThatVanishOrJoinAreRanked(t *testing.T) {
	t.Parallel()
	s := serve(t, 2, kinFacts())
	got := rank(t, s, diskFull("shop-1"), later, "brand-new-runbook", "free-space") // restart is gone
	wantOrder(t, got, "free-space", "brand-new-runbook")
	actions := order(rank(t, s, diskFull("shop-1"), later, "brand-new-runbook"))
	if !slices.Equal(actions, []string{"brand-new-runbook"}) {
		t.Errorf("ranking = %v", actions)
	}
}

func TestStrangeContextsAreRanked(t *testing.T) {
	t.Parallel()
	g := newGeneral()
	labels := map[string]string{}
	for i := range 10_000 {
		labels[fmt.Sprint("label_", i)] = "x"
	}
	c := shop
	c.Labels = incidents.LabelsFromMap(labels)
	g.add([]incidents.Fact{outcome(1, "a", c, true, day0), {Kind: "shown", Action: "a", At: day0}, {}})
	if got := g.judge(c, candidates("a", "b"), later); got[0].Learned <= 0 || len(g.pending) != 0 {
		t.Errorf("judged %+v", got)
	}
}

// A long log is learned a little at a time, and comes to the same.
func TestALongLogIsLearnedInPieces(t *testing.T) {
	t.Parallel()
	var facts []incidents.Fact
	for i := range 3 * settleAtOnce {
		helped := "free-space"
		if i%2 == 0 {
			helped = "restart"
		}
		facts = append(facts, outcome(incidents.ID(i+1), helped, diskFull(fmt.Sprint(i%2)), true, day0.Add(time.Duration(i)*time.Second)))
	}
	pieces, whole := newGeneral(), newGeneral()
	pieces.add(facts)
	whole.add(facts)
	if !pieces.settle(later, 100) || len(pieces.pending) != len(facts)-100 {
		t.Fatalf("%d facts are left of %d", len(pieces.pending), len(facts))
	}
	for pieces.settle(later, 100) {
	}
	whole.settle(later, len(facts)+1)
	a, b := pieces.judge(diskFull("1"), candidates("restart", "free-space"), later), whole.judge(diskFull("1"), candidates("restart", "free-space"), later)
	if a[0].Learned != b[0].Learned || a[1].Learned <= 0 || len(whole.pending) != 0 || pieces.late != 0 {
		t.Errorf("in pieces %+v, at once %+v", a, b)
	}
	s := serve(t, 2, facts)
	if err := s.Settle(t.Context(), later); err != nil || len(s.general.pending) != 0 {
		t.Errorf("Settle = %v, %d facts left", err, len(s.general.pending))
	}
}
