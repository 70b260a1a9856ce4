package diagnostics_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"context"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

func TestWhatDoesNotFitIsCounted(t *testing.T) {
	var all []diagnostics.Source
	for i := range incidents.MaxClues + 5 {
		all = append(all, source{fmt.Sprintf("s%d", i), func(context.Context, diagnostics.Question) (diagnostics.Answer, error) {
			return diagnostics.Answer{}, errors.New("connection refused")
		}})
	}
	clues := investigator(time.Minute, checks(0), all...).Diagnose(t.Context(), opened(), func(incidents.Diagnosed) {}).Clues
	if last := clues[len(clues)-1]; len(clues) != incidents.MaxClues || last.Says.Phrase != "clue.missing.more" || last.Says.Args["n"] != "6" {
		t.Errorf("%d clues, the last %+v", len(clues), last)
	}
}

// What a graph knows is added to the catalogue; where both speak, the catalogue counts.
func TestServicesOfSourcesAreAddedToTheCatalogue(t *testing.T) {
	c := diagnostics.NewCatalogue([]diagnostics.Service{{Name: "shop", Owner: "web team", DependsOn: []string{"payment"}}})
	both := c.With([]diagnostics.Service{{Name: "shop", Owner: "nobody", DependsOn: []string{"cache", "payment"}}, {Name: "front", DependsOn: []string{"shop"}}})
	if got := strings.Join(both.Needs("shop"), " ") + "; " + strings.Join(both.Blast("cache"), " "); got != "cache payment; shop front" {
		t.Errorf("%s", got)
	}
	if got := strings.Join(c.Needs("shop"), " "); got != "payment" {
		t.Errorf("the catalogue itself changed: %s", got)
	}
	var none *diagnostics.Catalogue
	if none.With(nil) != nil || len(none.With([]diagnostics.Service{{Name: "a", DependsOn: []string{"b"}}}).Needs("a")) != 1 {
		t.Error("without a catalogue")
	}
}
