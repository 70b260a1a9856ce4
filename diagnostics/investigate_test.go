package diagnostics_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hikeshi-ops/hikeshi/analysis/movers"
	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

type source struct {
	name string
	ask  func(context.Context, diagnostics.Question) (diagnostics.Answer, error)
}

func (s source) Name() string { return s.name }
func (s source) Ask(ctx context.Context, q diagnostics.Question) (diagnostics.Answer, error) {
	return s.ask(ctx, q)
}

type checks time.Duration

func (c checks) Diagnose(context.Context, *incidents.Incident) []incidents.Finding {
	time.Sleep(time.Duration(c))
	return []incidents.Finding{{Check: "shop/health"}}
}

func opened() *incidents.Incident {
	return &incidents.Incident{ID: 7, Version: 1, Service: "shop", Title: "ShopDown", OpenedAt: time.Now().Add(-time.Minute)}
}

func after(d time.Duration, a diagnostics.Answer) source {
	return source{"after " + d.String(), func(ctx context.Context, _ diagnostics.Question) (diagnostics.Answer, error) {
		time.Sleep(d)
		return a, nil
	}}
}

func investigator(within time.Duration, c diagnostics.Checks, sources ...diagnostics.Source) *diagnostics.Investigator {
	var ours []diagnostics.Owned
	for _, s := range sources {
		ours = append(ours, diagnostics.Owned{Source: s})
	}
	return diagnostics.New(diagnostics.Options{Checks: c, Sources: ours, Within: within, Clean: steps.NewRedactor("hunter2-secret").Clean, Now: time.Now})
}

func missing(d incidents.Diagnosed) (names []string) {
	for _, c := range d.Clues {
		if c.Kind == incidents.ClueMissing {
			names = append(names, c.Source+": "+c.Says.Phrase)
		}
	}
	return names
}

func TestADeadSourceIsNamedAndDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		change := diagnostics.Answer{Changes: []diagnostics.Change{{At: time.Now().Add(-5 * time.Minute), Service: "shop", Title: "deployed"}}}
		release := make(chan struct{})
		deaf := source{"deaf", func(context.Context, diagnostics.Question) (diagnostics.Answer, error) {
			<-release // heeds no context at all
			return diagnostics.Answer{}, nil
		}}
		polite := source{"polite", func(ctx context.Context, _ diagnostics.Question) (diagnostics.Answer, error) {
			<-ctx.Done()
			return diagnostics.Answer{}, fmt.Errorf("ask: %w", ctx.Err())
		}}
		broken := source{"broken", func(context.Context, diagnostics.Question) (diagnostics.Answer, error) {
			return diagnostics.Answer{}, errors.New("connection refused")
		}}
		panics := source{"panics", func(context.Context, diagnostics.Question) (diagnostics.Answer, error) { panic("oh") }}
		v := investigator(10*time.Second, checks(100*time.Millisecond), deaf, polite, broken, panics, after(200*time.Millisecond, change))
		began := time.Now()
		var part incidents.Diagnosed
		var partAt time.Duration
		whole := v.Diagnose(t.Context(), opened(), func(d incidents.Diagnosed) { part, partAt = d, time.Since(began) })
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("it took %s", took)
		}
		if partAt != diagnostics.Early || len(part.Findings) != 1 || !has(part, "deployed") {
			t.Errorf("after %s there was %+v", partAt, part)
		}
		if got := strings.Join(missing(part), "; "); got != "broken: clue.missing.failed; panics: clue.missing.failed" {
			t.Errorf("so far missing: %s", got)
		}
		got := strings.Join(missing(whole), "; ")
		if got != "deaf: clue.missing.late; polite: clue.missing.late; broken: clue.missing.failed; panics: clue.missing.failed" || !has(whole, "deployed") {
			t.Errorf("missing: %s of %+v", got, whole.Clues)
		}
		close(release)
	})
}

// Who answers after the first part was told is told with the next one, and not only
// when the dead source is given up.
func TestWhoIsALittleLateIsNotKeptWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		deploy := func(name string) diagnostics.Answer {
			return diagnostics.Answer{Changes: []diagnostics.Change{{At: time.Now().Add(-5 * time.Minute), Service: "shop", Title: name}}}
		}
		dead := source{"dead", func(ctx context.Context, _ diagnostics.Question) (diagnostics.Answer, error) {
			<-ctx.Done()
			return diagnostics.Answer{}, ctx.Err()
		}}
		const late = diagnostics.Early + 100*time.Millisecond
		v := investigator(10*time.Second, checks(0), dead, after(0, deploy("one")), after(late, deploy("two")), after(late+time.Millisecond, deploy("three")))
		began := time.Now()
		var told []time.Duration
		var last incidents.Diagnosed
		v.Diagnose(t.Context(), opened(), func(d incidents.Diagnosed) { told, last = append(told, time.Since(began)), d })
		if want := late + diagnostics.Early/3; len(told) != 2 || told[0] != diagnostics.Early || told[1] != want {
			t.Errorf("told after %s, not after %s and %s", told, diagnostics.Early, want)
		}
		if !has(last, "one") || !has(last, "two") || !has(last, "three") || len(missing(last)) > 0 {
			t.Errorf("%+v", last.Clues)
		}
	})
}

func has(d incidents.Diagnosed, text string) bool {
	for _, c := range d.Clues {
		if strings.Contains(c.Title+c.Detail, text) {
			return true
		}
	}
	return false
}

func TestTenSourcesTakeAsLongAsOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all []diagnostics.Source
		for range 10 {
			all = append(all, after(200*time.Millisecond, diagnostics.Answer{}))
		}
		began := time.Now()
		found := investigator(0, checks(0), all...).Diagnose(t.Context(), opened(), func(incidents.Diagnosed) { t.Error("there was nothing to tell") })
		if took := time.Since(began); took != 200*time.Millisecond || len(missing(found)) > 0 {
			t.Errorf("it took %s; missing %s", took, missing(found))
		}
	})
}

func TestWhatMovedIsRankedWithItsChart(t *testing.T) {
	s := opened()
	broke := s.OpenedAt.Add(-2 * time.Minute)
	series := func(title string, usual, then float64) diagnostics.Series {
		one := diagnostics.Series{Title: title, Of: "host=a"}
		for at := s.OpenedAt.Add(-time.Hour); at.Before(s.OpenedAt.Add(time.Minute)); at = at.Add(15 * time.Second) {
			v := usual + usual*0.02*float64(at.Unix()/15%3)
			if !at.Before(broke) {
				v = then
			}
			if at.Unix()/15%17 == 0 {
				v = math.NaN()
			}
			one.Points = append(one.Points, movers.Point{T: at.Unix(), V: v})
		}
		return one
	}
	answer := diagnostics.Answer{Series: []diagnostics.Series{series("calm", 10, 10), series("errors", 10, 34), series("\x1b[31mbytes", 2e9, 1), {Title: "one point", Points: []movers.Point{{T: 1, V: 1}}}}}
	found := investigator(0, checks(0), after(0, answer)).Diagnose(t.Context(), s, func(incidents.Diagnosed) {})
	if len(found.Clues) != 2 {
		t.Fatalf("%+v", found.Clues)
	}
	for i := range found.Clues {
		c := &found.Clues[i]
		if c.Chart == nil || c.At.Sub(broke).Abs() > time.Minute || strings.Contains(c.Title, "\x1b") {
			t.Errorf("%+v", c)
			continue
		}
		if png, err := diagnostics.Draw(c, s.OpenedAt); err != nil || !strings.HasPrefix(string(png), "\x89PNG") || strings.Contains(c.Chart.Values, "NaN") {
			t.Errorf("%q: %v", c.Title, err)
		}
		if strings.HasPrefix(c.Title, "errors") && (c.Says.Phrase != "clue.series.times" || !strings.HasPrefix(c.Says.Args["times"], "3.3")) {
			t.Errorf("errors: %+v", c.Says)
		}
	}
}

// What people found seldom useful for a service says so, so that it stands last.
func TestWhatIsSeldomUsefulIsFolded(t *testing.T) {
	t.Parallel()
	v := investigator(time.Second, checks(0), after(0, diagnostics.Answer{Clues: []incidents.Clue{{Kind: incidents.CluePast, Title: "INC-3"}, {Kind: incidents.ClueService, Title: "bea"}}}))
	v.Seldom = func(service, item string) bool {
		return service == "shop" && (item == "check/shop/health" || strings.HasPrefix(item, string(incidents.CluePast)+"/"))
	}
	got := v.Diagnose(t.Context(), opened(), func(incidents.Diagnosed) {})
	if len(got.Findings) != 1 || !got.Findings[0].Folded || len(got.Clues) != 2 || got.Clues[0].Folded == got.Clues[1].Folded {
		t.Errorf("%+v", got)
	}
	for _, c := range got.Clues {
		if c.Folded != (c.Kind == incidents.CluePast) {
			t.Errorf("%+v", c)
		}
	}
}

type panicking struct{}

func (panicking) Diagnose(context.Context, *incidents.Incident) []incidents.Finding {
	panic("hunter2-secret")
}

// Checks that panic end neither the process nor what the sources say.
func TestChecksThatPanicAreSaid(t *testing.T) {
	t.Parallel()
	got := investigator(time.Second, panicking{}, after(0, diagnostics.Answer{Clues: []incidents.Clue{{Kind: incidents.CluePast, Title: "INC-3"}}})).
		Diagnose(t.Context(), opened(), func(incidents.Diagnosed) {})
	if len(got.Findings) != 1 || got.Findings[0].OK || !strings.Contains(got.Findings[0].Value, "panic") || strings.Contains(got.Findings[0].Value, "hunter2") || len(got.Clues) != 1 {
		t.Errorf("%+v", got)
	}
}
