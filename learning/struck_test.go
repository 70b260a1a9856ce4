package learning

import (
	"fmt"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// A person's votes are taken back on every replica, whichever shard is read first,
// and as if they had never been; what they say later counts.
func TestAPersonsVotesAreUndone(t *testing.T) {
	t.Parallel()
	at := day.Add(24 * time.Hour)
	rank := func(log *memoryLog) string {
		s := NewService(log, len(log.shards))
		if err := s.Settle(t.Context(), at.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		list, _, err := s.Rank(t.Context(), shop, candidates("a", "b", "c"), at.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(list)
	}
	build := func(undo int, votes ...incidents.Fact) *memoryLog {
		log := &memoryLog{shards: make([][]incidents.Fact, 3)}
		if undo == 0 {
			log.add(0, incidents.Fact{Kind: incidents.FactUndo, Person: "mallory", At: at})
		}
		for i, f := range votes {
			log.add(i%3, f)
		}
		log.add(1, outcome(99, "b", shop, true, day))
		if undo > 0 {
			log.add(undo, incidents.Fact{Kind: incidents.FactUndo, Person: "mallory", At: at})
		}
		return log
	}
	var votes, honest []incidents.Fact
	for i := range 9 {
		votes = append(votes, thumbs(incidents.ID(i+1), "a", "mallory", 1, shop, day.Add(time.Duration(i)*time.Minute)))
	}
	mine := thumbs(1, "c", "bea", 1, shop, day.Add(time.Minute))
	later := thumbs(2, "c", "mallory", -1, shop, at.Add(time.Minute))
	votes, honest = append(votes, mine, later), append(honest, mine, later)
	want := rank(build(-1, honest...))
	if rank(build(-1, votes...)) == want {
		t.Fatal("the votes change nothing: this test cannot fail")
	}
	for _, undo := range []int{0, 1, 2} {
		if got := rank(build(undo, votes...)); got != want {
			t.Errorf("undone in shard %d:\n%s\nwant\n%s", undo, got, want)
		}
	}
	// While it is served, too.
	log := build(-1, votes...)
	s := NewService(log, 3)
	if err := s.Settle(t.Context(), at.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	log.add(2, incidents.Fact{Kind: incidents.FactUndo, Person: "mallory", At: at})
	if err := s.Settle(t.Context(), at.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	list, _, err := s.Rank(t.Context(), shop, candidates("a", "b", "c"), at.Add(time.Hour))
	if err != nil || fmt.Sprint(list) != want {
		t.Errorf("undone while served: %v, %v, want %s", list, err, want)
	}
}

// A reset strikes what was learned of one service, or of all, and nothing later.
func TestWhatWasLearnedIsReset(t *testing.T) {
	t.Parallel()
	other := incidents.Context{Name: "Errors", Service: "till"}
	log := &memoryLog{shards: make([][]incidents.Fact, 2)}
	for i := range 4 {
		log.add(i%2, outcome(incidents.ID(i), "a", shop, true, day.Add(time.Duration(i)*time.Minute)), outcome(incidents.ID(i), "a", other, true, day))
	}
	log.add(1, incidents.Fact{Kind: incidents.FactReset, At: day.Add(time.Hour), Context: incidents.Context{Service: shop.Service}})
	log.add(0, outcome(9, "a", shop, false, day.Add(2*time.Hour)))
	s := NewService(log, 2)
	tried := func(c incidents.Context) int {
		list, _, err := s.Rank(t.Context(), c, candidates("a"), day.Add(3*time.Hour))
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		return list[0].Evidence.Tried
	}
	if a, b := tried(shop), tried(other); a != 1 || b != 4 {
		t.Errorf("after a reset of one service: %d and %d outcomes, want 1 and 4", a, b)
	}
	log.add(0, incidents.Fact{Kind: incidents.FactReset, At: day.Add(3 * time.Hour)})
	if a, b := tried(shop), tried(other); a != 0 || b != 0 {
		t.Errorf("after a reset of all: %d and %d outcomes", a, b)
	}
}

// A history that is imported late is learned before what came after it.
func TestALateHistoryIsLearnedFirst(t *testing.T) {
	t.Parallel()
	late := &memoryLog{shards: make([][]incidents.Fact, 1)}
	first := &memoryLog{shards: make([][]incidents.Fact, 1)}
	old, now := outcome(0, "restart-web", shop, true, day), outcome(2, "restart-db", shop, true, day.Add(time.Hour))
	old.Source, old.Ref = "import", "x1"
	first.add(0, old, now)
	late.add(0, now)
	at := day.Add(4 * time.Hour)
	want, got := NewService(first, 1), NewService(late, 1)
	for _, s := range []*Service{want, got} {
		if err := s.Settle(t.Context(), at); err != nil {
			t.Fatal(err)
		}
	}
	late.add(0, old)
	for range 2 { // the first hears of it
		if err := got.Settle(t.Context(), at); err != nil {
			t.Fatal(err)
		}
	}
	where := incidents.Context{Name: "Other", Service: shop.Service}
	a, _, _ := want.Rank(t.Context(), where, candidates("restart-web", "restart-db"), at)
	b, _, _ := got.Rank(t.Context(), where, candidates("restart-web", "restart-db"), at)
	if fmt.Sprint(a) != fmt.Sprint(b) || got.Forgotten().Late != 0 {
		t.Errorf("late:\n%v\nfirst:\n%v\n%+v", b, a, got.Forgotten())
	}
}

// How many facts a strike takes back is said before it is made: each counts once,
// whatever was struck before.
func TestWhatAStrikeTakesBackIsCounted(t *testing.T) {
	t.Parallel()
	log := &memoryLog{shards: make([][]incidents.Fact, 2)}
	vote := func(who string, at time.Time) incidents.Fact {
		return incidents.Fact{Kind: incidents.FactVote, Incident: 1, Action: "restart", Person: who, Value: 1, At: at, Context: shop}
	}
	log.add(0, vote("bea", day0), vote("cho", day0), outcome(1, "restart", shop, true, day0))
	log.add(1, vote("bea", day0.Add(2*time.Hour)), incidents.Fact{Kind: incidents.FactUndo, Person: "bea", At: day0.Add(time.Hour)})
	later := day0.Add(3 * time.Hour)
	for what, c := range map[string]struct {
		strike incidents.Fact
		want   int
	}{
		"bea's later vote":     {incidents.Fact{Kind: incidents.FactUndo, Person: "bea", At: later}, 1},
		"cho's":                {incidents.Fact{Kind: incidents.FactUndo, Person: "cho", At: later}, 1},
		"nobody's":             {incidents.Fact{Kind: incidents.FactUndo, Person: "nobody", At: later}, 0},
		"the service's":        {incidents.Fact{Kind: incidents.FactReset, Context: shop, At: later}, 3},
		"of another service":   {incidents.Fact{Kind: incidents.FactReset, Context: incidents.Context{Service: "mail"}, At: later}, 0},
		"everything":           {incidents.Fact{Kind: incidents.FactReset, At: later}, 3},
		"what was before them": {incidents.Fact{Kind: incidents.FactReset, At: day0.Add(-time.Hour)}, 0},
	} {
		if n, err := Strikes(t.Context(), log, 2, c.strike); err != nil || n != c.want {
			t.Errorf("%s: %d, not %d: %v", what, n, c.want, err)
		}
	}
}

// Outcomes of incidents that nobody knows, and contexts that grow without end, cost
// what they may and no more.
func TestStrangersAndHugeContexts(t *testing.T) {
	t.Parallel()
	log := &memoryLog{shards: make([][]incidents.Fact, 1)}
	many := make([]incidents.Label, 10_000)
	for i := range many {
		many[i] = incidents.Label{Name: fmt.Sprintf("l%d", i), Value: "v"}
	}
	huge := shop
	huge.Labels = incidents.NewLabels(many)
	log.add(0, outcome(1<<40, "restart", shop, true, day0), outcome(7, "gone-from-the-catalogue", shop, true, day0),
		outcome(2, "restart", huge, true, day0), outcome(-3, "", incidents.Context{}, false, time.Time{}))
	s := NewService(log, 1)
	if err := s.Settle(t.Context(), day0.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]incidents.Context{"usual": shop, "huge": huge} {
		got, none, err := s.Rank(t.Context(), c, candidates("restart", "flush"), day0.Add(time.Hour))
		if err != nil || none.Phrase != "" || len(got) != 2 || got[0].Action != "restart" || got[0].Evidence.Worked != 2 {
			t.Errorf("%s: %+v %v %v", name, got, none, err)
		}
	}
}
