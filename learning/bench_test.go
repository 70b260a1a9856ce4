package learning_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/learning"
	"github.com/hikeshi-ops/hikeshi/storage"
)

// A big estate: 1,500 actions, 300 alerts of 200 services, ten labels each. Of each
// incident a list, an approval, an outcome, and of every second one a thumb. After these
// a second list is shown. Its places change where the first action did not help (of 300
// such incidents: always then, and never else), and only then it is a fact: here every
// fifth time.
const (
	estateActions   = 1500
	estateIncidents = 100_000
	estateModelled  = 21_000 // more than are remembered
)

var estateBegan = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func estateFacts(r *rand.Rand, i int) []incidents.Fact {
	alert, service := r.IntN(300), r.IntN(200)
	action := func(k int) string { return fmt.Sprintf("fix-%d-%d", (alert+k)%300, service%5) }
	labels := map[string]string{}
	for _, name := range []string{"alertname", "cluster", "env", "instance", "job", "namespace", "pod", "region", "service", "team"} {
		labels[name] = fmt.Sprintf("%s-%d", name, r.IntN(40))
	}
	f := incidents.Fact{Incident: incidents.ID(i + 1), At: estateBegan.Add(time.Duration(i) * 5 * time.Minute), Context: incidents.Context{
		Name: fmt.Sprint("Alert", alert), Service: fmt.Sprint("service-", service), Source: "alertmanager",
		Labels: incidents.LabelsFromMap(labels), Failing: []string{action(0) + "/health"},
	}}
	shown, chosen, outcome, vote := f, f, f, f
	where := incidents.Context{Name: f.Context.Name, Service: f.Context.Service}
	shown.Kind, shown.Context = incidents.FactShown, where
	for k := range 5 {
		shown.Shown = append(shown.Shown, incidents.Shown{Action: action(k), Chance: float64(r.IntN(1e4)) / 1e4, Propensity: 1})
	}
	chosen.Kind, chosen.Context, chosen.Action, chosen.Rank, chosen.Chance, chosen.Person = incidents.FactChosen, where, action(0), 1, .5, "slack:T0123ABCD/U0123ABCD"
	outcome.Kind, outcome.Action, outcome.Value, outcome.Took = incidents.FactOutcome, action(0), 1, time.Minute
	facts := []incidents.Fact{shown, chosen, outcome}
	if i%5 == 0 {
		again := shown
		again.Shown = slices.Clone(shown.Shown)
		again.Shown[1], again.Shown[2] = again.Shown[2], again.Shown[1]
		facts = append(facts, again)
	}
	if i%2 == 0 {
		vote.Kind, vote.Action, vote.Value, vote.Person = incidents.FactVote, action(0), 1, chosen.Person
		facts = append(facts, vote)
	}
	return facts
}

// BenchmarkState says how large the facts of 100,000 incidents are in the store: all,
// and those that a ranking goes by.
func BenchmarkState(b *testing.B) {
	b.Run("all", func(b *testing.B) { benchmarkState(b, false) })
	b.Run("ranking", func(b *testing.B) { benchmarkState(b, true) })
}

func benchmarkState(b *testing.B, ranking bool) {
	for b.Loop() {
		dir, r := b.TempDir(), rand.New(rand.NewPCG(1, 2))
		store, err := storage.Open(b.Context(), storage.Config{Dir: dir, Shards: 1})
		if err != nil {
			b.Fatal(err)
		}
		for i := 0; i < estateIncidents; {
			c := &incidents.Commit{}
			for ; len(c.Facts) < 5000 && i < estateIncidents; i++ {
				for _, f := range estateFacts(r, i) {
					if f.Kind != incidents.FactShown || !ranking {
						c.Facts = append(c.Facts, f)
					}
				}
			}
			if err := store.Commit(b.Context(), c); err != nil {
				b.Fatal(err)
			}
		}
		if err := store.Close(); err != nil {
			b.Fatal(err)
		}
		size := int64(0)
		files, _ := filepath.Glob(filepath.Join(dir, "*.db*"))
		for _, file := range files {
			if info, err := os.Stat(file); err == nil {
				size += info.Size()
			}
		}
		b.ReportMetric(float64(size)/1e6, "MB")
	}
}

// BenchmarkRanking is a whole ranking of 1,500 actions: both models, with evidence.
func BenchmarkRanking(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	var log factLog
	for i := range estateModelled {
		log = append(log, estateFacts(r, i)...)
	}
	now := estateBegan.Add(estateModelled*5*time.Minute + time.Hour)
	s := learning.NewService(log, 1)
	if err := s.Settle(b.Context(), now); err != nil {
		b.Fatal(err)
	}
	candidates := make([]learning.Candidate, estateActions)
	for i := range candidates {
		candidates[i].Action = fmt.Sprintf("fix-%d-%d", i/5, i%5)
	}
	var took []time.Duration
	b.ReportAllocs()
	for b.Loop() {
		c := estateFacts(r, 0)[2].Context
		began := time.Now()
		if _, _, err := s.Rank(b.Context(), c, candidates, now); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}

// factLog is a log that is there already.
type factLog []incidents.Fact

// Facts implements learning.Log.
func (l factLog) Facts(_ context.Context, _ int, after int64, limit int) ([]incidents.Fact, error) {
	from := min(int(after), len(l))
	page := slices.Clone(l[from:min(from+limit, len(l))])
	for i := range page {
		page[i].Seq = int64(from + i + 1)
	}
	return page, nil
}
