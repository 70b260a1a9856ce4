package learning

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

var (
	day0 = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	shop = incidents.Context{Name: "HighErrorRate", Service: "checkout"}
)

func outcome(id incidents.ID, action string, c incidents.Context, helped bool, at time.Time) incidents.Fact {
	f := incidents.Fact{Kind: incidents.FactOutcome, Incident: id, At: at, Action: action, Took: 48 * time.Second, Context: c}
	if helped {
		f.Value = 1
	}
	return f
}

func thumbs(id incidents.ID, action, person string, value int, c incidents.Context, at time.Time) incidents.Fact {
	return incidents.Fact{Kind: incidents.FactVote, Incident: id, At: at, Action: action, Person: person, Value: value, Context: c}
}

func candidates(actions ...string) []Candidate {
	list := make([]Candidate, 0, len(actions))
	for _, a := range actions {
		list = append(list, Candidate{Action: a})
	}
	return list
}

func order(ranked []Ranked) []string {
	names := make([]string, 0, len(ranked))
	for _, r := range ranked {
		names = append(names, r.Action)
	}
	return names
}

func wantOrder(t *testing.T, ranked []Ranked, want ...string) {
	t.Helper()
	if got := order(ranked); !slices.Equal(got, want) {
		t.Errorf("ranking = %v, want %v (%+v)", got, want, ranked)
	}
}

func TestUntriedStandsBetweenProvedAndDisproved(t *testing.T) {
	t.Parallel()
	var m Model
	m.Learn(outcome(1, "restart", shop, true, day0), outcome(2, "scale-up", shop, false, day0))
	wantOrder(t, m.Rank(shop, candidates("scale-up", "a-new-one", "restart"), day0), "restart", "a-new-one", "scale-up")
}

func TestOneThumbMovesACloseRanking(t *testing.T) {
	t.Parallel()
	var m Model
	m.Learn(
		outcome(1, "clear-cache", shop, true, day0), outcome(2, "clear-cache", shop, true, day0),
		outcome(3, "restart", shop, true, day0), outcome(4, "restart", shop, true, day0),
	)
	wantOrder(t, m.Rank(shop, candidates("clear-cache", "restart"), day0), "clear-cache", "restart")
	m.Learn(thumbs(5, "restart", "console:bea", 1, shop, day0))
	wantOrder(t, m.Rank(shop, candidates("clear-cache", "restart"), day0), "restart", "clear-cache")
	m.Learn(thumbs(5, "restart", "console:bea", 0, shop, day0))
	wantOrder(t, m.Rank(shop, candidates("clear-cache", "restart"), day0), "clear-cache", "restart")
}

func TestVerifiedSuccessWeighsMoreThanAFewThumbs(t *testing.T) {
	t.Parallel()
	var m Model
	m.Learn(outcome(1, "proved", shop, true, day0))
	for person := range 4 {
		m.Learn(thumbs(2, "liked", fmt.Sprint("console:", person), 1, shop, day0))
	}
	wantOrder(t, m.Rank(shop, candidates("liked", "proved"), day0), "proved", "liked")
}

func TestNoNumberOfThumbsOutweighsAFewOutcomes(t *testing.T) {
	t.Parallel()
	var m Model
	for id := range incidents.ID(3) {
		m.Learn(outcome(id, "proved", shop, true, day0))
	}
	for person := range 1000 {
		m.Learn(thumbs(2, "liked", fmt.Sprint("console:", person), 1, shop, day0))
	}
	wantOrder(t, m.Rank(shop, candidates("liked", "proved"), day0), "proved", "liked")
}

func TestThumbDownOnSomethingNeverRunLowersIt(t *testing.T) {
	t.Parallel()
	var m Model
	m.Learn(thumbs(1, "a", "console:bea", -1, shop, day0))
	wantOrder(t, m.Rank(shop, candidates("a", "b"), day0), "b", "a")
}

func TestOnePersonVotesOncePerIncidentAndAction(t *testing.T) {
	t.Parallel()
	var once, often Model
	once.Learn(thumbs(1, "restart", "console:mallory", -1, shop, day0))
	for i := range 100 {
		often.Learn(thumbs(1, "restart", "console:mallory", 1-2*(i%2), shop, day0.Add(time.Duration(i)*time.Second)))
	}
	a := once.Rank(shop, candidates("restart"), day0.Add(time.Hour))[0]
	b := often.Rank(shop, candidates("restart"), day0.Add(time.Hour))[0]
	if math.Abs(a.Score-b.Score) > 1e-6 || b.Evidence.Up != 0 || b.Evidence.Down != 1 {
		t.Errorf("a hundred votes of one person: score %v, 👍%d 👎%d; one vote: %v", b.Score, b.Evidence.Up, b.Evidence.Down, a.Score)
	}
}

func TestLogDecidesWhichVoteIsLater(t *testing.T) {
	t.Parallel()
	var m Model
	up, down := thumbs(1, "a", "console:bea", 1, shop, day0), thumbs(1, "a", "console:bea", -1, shop, day0.Add(-time.Hour))
	up.Seq, down.Seq = 7, 8 // another replica's clock is an hour behind
	m.Learn(up, down, up)   // and the first one is delivered once more
	if e := m.Rank(shop, candidates("a"), day0)[0].Evidence; e.Up != 0 || e.Down != 1 {
		t.Errorf("👍%d 👎%d, want the vote that the log has last", e.Up, e.Down)
	}
}

func TestKinLendStrengthAndTheVerySameAlertWins(t *testing.T) {
	t.Parallel()
	otherService := incidents.Context{Name: shop.Name, Service: "search"}
	otherAlert := incidents.Context{Name: "DiskFull", Service: shop.Service}
	stranger := incidents.Context{Name: "CertExpires", Service: "mail"}
	var m Model
	for id := range incidents.ID(3) {
		m.Learn(outcome(id, "here", shop, true, day0), outcome(id, "name", otherService, true, day0),
			outcome(id, "service", otherAlert, true, day0), outcome(id, "elsewhere", stranger, true, day0))
	}
	wantOrder(t, m.Rank(shop, candidates("untried", "elsewhere", "service", "name", "here"), day0),
		"here", "name", "service", "elsewhere", "untried")

	for id := range incidents.ID(1000) { // however much is known elsewhere …
		m.Learn(outcome(id, "elsewhere", otherService, true, day0))
	}
	for id := range incidents.ID(6) { // … six failures here say more
		m.Learn(outcome(id, "elsewhere", shop, false, day0))
	}
	wantOrder(t, m.Rank(shop, candidates("untried", "elsewhere"), day0), "untried", "elsewhere")
}

func TestEvidenceIsHonest(t *testing.T) {
	t.Parallel()
	var m Model
	for i := range 9 {
		f := outcome(incidents.ID(i), "restart", shop, i < 7, day0.AddDate(0, -i, 0))
		f.Took = time.Duration(40+i) * time.Second
		m.Learn(f)
	}
	m.Learn(outcome(90, "restart", incidents.Context{Name: shop.Name, Service: "search"}, true, day0))
	m.Learn(thumbs(91, "restart", "console:bea", 1, shop, day0), thumbs(92, "restart", "console:bea", 1, shop, day0), thumbs(92, "restart", "console:abe", -1, shop, day0))
	got := m.Rank(shop, candidates("restart"), day0.AddDate(1, 0, 0))[0].Evidence
	if got.Tried != 9 || got.Worked != 7 || got.Up != 2 || got.Down != 1 || !got.LastAt.Equal(day0) || got.Median != 43*time.Second {
		t.Errorf("evidence = %+v", got)
	}
	if len(got.Terms) < 3 {
		t.Fatalf("terms = %+v, want what happened here, the thumbs, and the other service", got.Terms)
	}
	for i := 1; i < len(got.Terms); i++ {
		if math.Abs(got.Terms[i].Weight) > math.Abs(got.Terms[i-1].Weight) {
			t.Errorf("terms are not ordered by weight: %+v", got.Terms)
		}
	}
	if first := got.Terms[0].Because; first.Phrase != "why.here.tried" || first.Args["worked"] != "7" || first.Args["tried"] != "9" {
		t.Errorf("first term = %+v", first)
	}
}

func TestOwnFailingCheckAndFit(t *testing.T) {
	t.Parallel()
	var m Model
	c := shop
	c.Failing = []string{"restart/health", "restarting-all/health"}
	got := m.Rank(c, []Candidate{{Action: "a"}, {Action: "fits", Fit: 1}, {Action: "restart"}}, day0)
	wantOrder(t, got, "restart", "fits", "a")
	if terms := got[0].Evidence.Terms; terms[0].Because.Phrase != "why.check" || terms[0].Because.Args["check"] != "restart/health" {
		t.Errorf("terms = %+v", terms)
	}
}

func TestOldFactsFade(t *testing.T) {
	t.Parallel()
	var m Model
	for id := range incidents.ID(4) {
		m.Learn(outcome(id, "old", shop, true, day0.Add(-6*HalfLife)))
	}
	m.Learn(outcome(9, "fresh", shop, true, day0))
	wantOrder(t, m.Rank(shop, candidates("old", "fresh"), day0), "fresh", "old")
}

func TestNoCandidateNoAction(t *testing.T) {
	t.Parallel()
	var m Model
	if got := m.Rank(shop, nil, day0); len(got) != 0 {
		t.Errorf("ranked %v out of nothing", got)
	}
	if got := m.Rank(shop, candidates("a", "a"), day0); len(got) != 1 {
		t.Errorf("the same candidate twice is ranked %d times", len(got))
	}
}

// drawHistory makes a log of facts about few actions, alerts and people, so
// that they meet often.
func drawHistory(t *rapid.T) []incidents.Fact {
	n := rapid.IntRange(0, 60).Draw(t, "facts")
	facts := make([]incidents.Fact, 0, n)
	for range n {
		id := incidents.ID(rapid.IntRange(1, 8).Draw(t, "incident"))
		c := incidents.Context{Name: []string{"A", "B", ""}[id%3], Service: []string{"x", "y", "z", ""}[id%4]}
		action := rapid.SampledFrom([]string{"p", "q", "r"}).Draw(t, "action")
		at := day0.Add(time.Duration(rapid.Int64Range(0, int64(4*HalfLife)).Draw(t, "age")) * -1)
		if rapid.Bool().Draw(t, "vote") {
			person := rapid.SampledFrom([]string{"console:1", "console:2", "console:3"}).Draw(t, "person")
			f := thumbs(id, action, person, rapid.IntRange(-1, 1).Draw(t, "value"), c, at)
			f.Own = c.Service != "" && rapid.Bool().Draw(t, "own")
			facts = append(facts, f)
			continue
		}
		f := outcome(id, action, c, rapid.Bool().Draw(t, "helped"), at)
		f.Took = time.Duration(rapid.IntRange(0, 300).Draw(t, "took")) * time.Second
		facts = append(facts, f)
	}
	return facts
}

// shuffle keeps the order within an incident, which its shard's log gives, and
// mixes the incidents.
func shuffle(t *rapid.T, facts []incidents.Fact) []incidents.Fact {
	rest := map[incidents.ID][]incidents.Fact{}
	ids := make([]incidents.ID, 0, len(facts))
	for _, f := range facts {
		rest[f.Incident] = append(rest[f.Incident], f)
		ids = append(ids, f.Incident)
	}
	mixed := make([]incidents.Fact, 0, len(facts))
	for _, id := range rapid.Permutation(ids).Draw(t, "order") {
		mixed = append(mixed, rest[id][0])
		rest[id] = rest[id][1:]
	}
	return mixed
}

func TestOrderOfIncidentsDoesNotMatter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		facts := drawHistory(t)
		var one, other Model
		one.Learn(facts...)
		for _, f := range shuffle(t, facts) {
			other.Learn(f)
		}
		for _, c := range []incidents.Context{{Name: "A", Service: "x"}, {Name: "B", Service: "x"}, {}, {Name: "new", Service: "new"}} {
			a, b := one.Rank(c, candidates("p", "q", "r", "s"), day0), other.Rank(c, candidates("s", "r", "q", "p"), day0)
			byAction := func(rs []Ranked) map[string]Ranked {
				m := map[string]Ranked{}
				for _, r := range rs {
					m[r.Action] = r
				}
				return m
			}
			bs := byAction(b)
			for _, x := range a {
				y := bs[x.Action]
				ex, ey := x.Evidence, y.Evidence
				if math.Abs(x.Score-y.Score) > 1e-8 || ex.Tried != ey.Tried || ex.Worked != ey.Worked || ex.Up != ey.Up || ex.Down != ey.Down || ex.Median != ey.Median || !ex.LastAt.Equal(ey.LastAt) {
					t.Fatalf("%s at %+v: %+v in one order, %+v in another", x.Action, c, x, y)
				}
			}
		}
	})
}

func TestScoresAreBoundedAndFeedbackNeverBackfires(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		facts := drawHistory(t)
		learned := func(more ...incidents.Fact) float64 {
			var m Model
			m.Learn(facts...)
			m.Learn(more...)
			var score float64
			for _, r := range m.Rank(incidents.Context{Name: "A", Service: "x"}, candidates("p", "q"), day0) {
				if math.IsNaN(r.Score) || r.Score <= 0 || r.Score >= 1 {
					t.Fatalf("score %v of %s is out of bounds", r.Score, r.Action)
				}
				if r.Action == "p" {
					score = r.Score
				}
			}
			return score
		}
		c := incidents.Context{
			Name:    rapid.SampledFrom([]string{"A", "B"}).Draw(t, "name"),
			Service: rapid.SampledFrom([]string{"x", "y"}).Draw(t, "service"),
		}
		score := learned()
		const noise = 2e-9 // scores are rounded
		for _, good := range []incidents.Fact{outcome(100, "p", c, true, day0), thumbs(100, "p", "console:9", 1, c, day0)} {
			if got := learned(good); got < score-noise {
				t.Fatalf("%s that speaks for p took its score from %v to %v", good.Kind, score, got)
			}
		}
		for _, bad := range []incidents.Fact{outcome(100, "p", c, false, day0), thumbs(100, "p", "console:9", -1, c, day0)} {
			if got := learned(bad); got > score+noise {
				t.Fatalf("%s that speaks against p took its score from %v to %v", bad.Kind, score, got)
			}
		}
	})
}

func TestAVoteTakenBackLeavesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		facts := drawHistory(t)
		var plain, back Model
		plain.Learn(facts...)
		back.Learn(facts...)
		at := day0.Add(-time.Duration(rapid.Int64Range(0, int64(4*HalfLife)).Draw(t, "age")))
		back.Learn(thumbs(100, "p", "console:9", 1, shop, at), thumbs(100, "p", "console:9", 0, shop, day0))
		for _, c := range []incidents.Context{shop, {Name: "A", Service: "x"}} {
			a, b := plain.Rank(c, candidates("p"), day0)[0], back.Rank(c, candidates("p"), day0)[0]
			if math.Abs(a.Score-b.Score) > 1e-8 || a.Evidence.Up != b.Evidence.Up {
				t.Fatalf("%+v before, %+v after a vote was taken back", a, b)
			}
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	var m Model
	m.bounds.cells, m.bounds.votes = 1000, 400
	const strangers = 2000 // each brings two cells of its own
	var last incidents.Context
	for i := range strangers {
		last = incidents.Context{Name: "same", Service: fmt.Sprint("pod-", i)}
		m.Learn(thumbs(incidents.ID(i), "restart", "console:bea", 1, last, day0.Add(time.Duration(i)*time.Second)))
		if m.held > 1000 || len(m.votes) > 400 {
			t.Fatalf("holds %d cells and %d votes", m.held, len(m.votes))
		}
	}
	held := 0
	for _, places := range m.cells {
		held += len(places)
	}
	if held != m.held {
		t.Errorf("holds %d cells, and counts %d", held, m.held)
	}
	if f := m.Forgotten(); f.Cells < 2*strangers-1000 || f.Votes < strangers-400 {
		t.Errorf("forgot %+v of %d strangers", f, strangers)
	}
	latest := m.Rank(last, candidates("restart"), day0)[0]
	if latest.Evidence.Up != 1 {
		t.Errorf("the latest fact was forgotten: %+v", latest)
	}
	m.Learn(thumbs(0, "restart", "console:bea", 0, incidents.Context{Name: "same", Service: "pod-0"}, day0)) // of a forgotten vote
	if e := m.Rank(incidents.Context{Name: "same", Service: "pod-0"}, candidates("restart"), day0)[0].Evidence; e.Up < 0 || e.Down < 0 {
		t.Errorf("taking back what was forgotten leaves %+v", e)
	}
}

func TestStrangeFactsAreCountedNotLearned(t *testing.T) {
	t.Parallel()
	var m Model
	m.Learn(
		incidents.Fact{Kind: "noticed", Action: "a", At: day0},
		incidents.Fact{Kind: incidents.FactVote, At: day0},
		incidents.Fact{Kind: incidents.FactVote, Action: "a", Value: 7, At: day0},
		incidents.Fact{Kind: incidents.FactOutcome, Action: "a"},
	)
	if got := m.Forgotten().Facts; got != 4 {
		t.Errorf("counted %d strange facts, want 4", got)
	}
}

func BenchmarkRank(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	var m Model
	cands := make([]Candidate, 1500)
	for i := range cands {
		cands[i] = Candidate{Action: fmt.Sprint("runbook-", i), Fit: r.Float64()}
	}
	for i := range 100_000 {
		c := incidents.Context{Name: fmt.Sprint("alert-", r.IntN(40)), Service: fmt.Sprint("service-", r.IntN(20))}
		m.Learn(outcome(incidents.ID(i), cands[r.IntN(len(cands))].Action, c, r.IntN(3) > 0, day0))
	}
	c := incidents.Context{Name: "alert-1", Service: "service-1"}
	b.ReportAllocs()
	for b.Loop() {
		if got := m.Rank(c, cands, day0); len(got) != len(cands) {
			b.Fatal("lost candidates")
		}
	}
}

// TestEachFactIsInOneClass: what is told of kin does not repeat what is told
// of the alert itself.
func TestEachFactIsInOneClass(t *testing.T) {
	t.Parallel()
	var m Model
	m.Learn(
		outcome(1, "restart", shop, true, day0),
		outcome(2, "restart", incidents.Context{Name: shop.Name, Service: "search"}, true, day0),
		outcome(3, "restart", incidents.Context{Name: shop.Name, Service: "search"}, false, day0),
		outcome(4, "restart", incidents.Context{Name: "DiskFull", Service: shop.Service}, false, day0),
		outcome(5, "restart", incidents.Context{Name: "DiskFull", Service: "mail"}, true, day0),
		thumbs(6, "restart", "console:bea", 1, incidents.Context{Name: "DiskFull", Service: "mail"}, day0),
	)
	got := map[string]string{}
	for _, term := range m.Rank(shop, candidates("restart"), day0)[0].Evidence.Terms {
		a := term.Because.Args
		got[term.Because.Phrase] = a["worked"] + "/" + a["tried"] + " " + a["up"] + "/" + a["down"]
	}
	want := map[string]string{
		"why.here.tried": "1/1 /", "why.service.tried": "0/1 /", "why.everywhere.tried": "1/1 /", "why.everywhere.thumbs": "/ 1/0",
		// sameName has worked and failed alike and so weighs next to nothing, but not quite.
		"why.name.tried": "1/2 /",
	}
	if !maps.Equal(got, want) {
		t.Errorf("terms = %v, want %v", got, want)
	}
	declared := m.Rank(incidents.Context{}, candidates("restart"), day0)[0]
	if declared.Evidence.Tried != 0 || len(declared.Evidence.Terms) != 2 || declared.Evidence.Terms[0].Because.Phrase != "why.everywhere.tried" {
		t.Errorf("an incident without alerts has kin: %+v", declared)
	}
}

// TestReasonsAreInTheCatalogue: every phrase that the package can say exists.
func TestReasonsAreInTheCatalogue(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "ja"} {
		b, err := os.ReadFile("../bot/phrases/" + lang + "/learning.yaml")
		if err != nil {
			t.Fatal(err)
		}
		for _, phrase := range []string{
			"here.tried", "here.thumbs", "here.thumbs.own", "name.tried", "name.thumbs", "service.tried", "service.thumbs", "service.thumbs.own",
			"everywhere.tried", "everywhere.thumbs", "check", "fit", "learned", "learned.by", "learned.like", "untried", "none", "none.name", "none.declared",
		} {
			if !strings.Contains(string(b), "\nwhy."+phrase+": ") {
				t.Errorf("%s has no why.%s", lang, phrase)
			}
		}
	}
}
