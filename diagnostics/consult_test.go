package diagnostics_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hikeshi-ops/hikeshi/analysis/movers"
	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// special tells one kind of clues, and takes queries.
type special struct {
	source
	kind  incidents.ClueKind
	asked *[]string
}

func (s special) Tells() []incidents.ClueKind { return []incidents.ClueKind{s.kind} }

func (s special) Graph(_ context.Context, query string, from, to time.Time) (diagnostics.Answer, error) {
	*s.asked = append(*s.asked, s.name+" "+query)
	if query == "up{" {
		return diagnostics.Answer{}, errors.New("parse error near hunter2-secret")
	}
	half := from.Add(to.Sub(from) / 2).Unix()
	return diagnostics.Answer{Series: []diagnostics.Series{{Title: query, Of: "web-1", Points: []movers.Point{{T: from.Unix(), V: 1}, {T: half, V: 3}, {T: to.Unix(), V: 2}}}}}, nil
}

// consulting is an investigator of three sources, and the names of those that were asked.
func consulting() (v *diagnostics.Investigator, asked *[]string) {
	asked = new([]string)
	var mu sync.Mutex // they are asked at the same time
	tells := func(name string, a diagnostics.Answer) source {
		return source{name, func(context.Context, diagnostics.Question) (diagnostics.Answer, error) {
			mu.Lock()
			defer mu.Unlock()
			*asked = append(*asked, name)
			return a, nil
		}}
	}
	at := time.Now().Add(-5 * time.Minute)
	changes := diagnostics.Answer{Changes: []diagnostics.Change{{At: at, Service: "shop", Title: "Raise the pool"}, {At: at, Service: "shop", Title: "drop an index"}}}
	return investigator(time.Second, checks(0), special{tells("git", changes), incidents.ClueChange, asked},
		special{tells("metrics", diagnostics.Answer{}), incidents.ClueSeries, asked}, tells("anything", diagnostics.Answer{})), asked
}

// Who asks for one kind of clue keeps nobody waiting who cannot know of it, and
// words narrow what is told.
func TestOnlyTheKindAndTheWordsThatAreAskedFor(t *testing.T) {
	for _, c := range []struct {
		kind          incidents.ClueKind
		words         string
		asked, clues  string
		withTheChecks bool
	}{
		{incidents.ClueChange, "", "anything git", "Raise the pool; drop an index", false},
		{incidents.ClueChange, "POOL", "anything git", "Raise the pool", false},
		{incidents.ClueChange, "nothing", "anything git", "", false},
		{incidents.ClueSeries, "", "anything metrics", "", false},
		{"", "index", "anything git metrics", "drop an index", false},
		{"", "", "anything git metrics", "Raise the pool; drop an index", true},
	} {
		synctest.Test(t, func(t *testing.T) {
			v, asked := consulting()
			found := v.Only(t.Context(), opened(), c.kind, c.words)
			var titles []string
			for _, clue := range found.Clues {
				_, title, _ := strings.Cut(clue.Title, ": ")
				titles = append(titles, title)
			}
			slices.Sort(titles)
			slices.Sort(*asked)
			if got := strings.Join(*asked, " "); got != c.asked {
				t.Errorf("%q %q asks %s, not %s", c.kind, c.words, got, c.asked)
			}
			if got := strings.Join(titles, "; "); got != c.clues || len(found.Findings) > 0 != c.withTheChecks {
				t.Errorf("%q %q tells %q with %d checks, not %q", c.kind, c.words, got, len(found.Findings), c.clues)
			}
		})
	}
}

// A query of somebody's own goes to the source that is named, else to the first
// that takes any; what comes back says what was asked, and no secret.
func TestAQueryOfOnesOwnIsDrawn(t *testing.T) {
	for _, c := range []struct{ in, query, asked, fails string }{
		{"", "up", "git up", ""},
		{"METRICS", "up", "metrics up", ""},
		{"anything", "up", "", "error.graph_source"}, // which takes none
		{"git", "up{", "git up{", "error.graph"},
		{"git", strings.Repeat("x", 1001), "", "error.graph_long"},
	} {
		synctest.Test(t, func(t *testing.T) {
			v, asked := consulting()
			found, err := v.Graph(t.Context(), opened(), c.in, c.query, false)
			if got := strings.Join(*asked, "; "); got != c.asked {
				t.Errorf("in:%s asks %q, not %q", c.in, got, c.asked)
			}
			if c.fails != "" {
				e, ok := errors.AsType[*incidents.Error](err)
				if !ok || e.Phrase != c.fails || strings.Contains(e.Error()+e.Args["error"], "hunter2") {
					t.Errorf("in:%s %.9s: %v", c.in, c.query, err)
				}
				return
			}
			if err != nil || len(found.Clues) != 1 {
				t.Fatalf("in:%s: %+v, %v", c.in, found, err)
			}
			if clue := found.Clues[0]; clue.Kind != incidents.ClueGraph || clue.Title != "web-1" || clue.Chart == nil || clue.Says.Args["now"] != "2" || clue.Says.Args["high"] != "3" {
				t.Errorf("in:%s: %+v", c.in, clue)
			}
		})
	}
}
