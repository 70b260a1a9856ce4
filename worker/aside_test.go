package worker_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage/fault"
	"github.com/hikeshi-ops/hikeshi/worker"
)

// opensPoison says whether a commit opens the incident of the group that fails.
func opensPoison(c *incidents.Commit) bool {
	return slices.ContainsFunc(c.Changes, func(ch incidents.Change) bool { return ch.State.Service == "poison" })
}

// pushThree puts alerts of three groups into the log, two of them of the one that fails.
func (f *flaky) pushThree(t *testing.T) {
	t.Helper()
	start := time.Now().UTC().Add(-time.Minute)
	f.push(t, "", 0, alertAt("shop", start), alertAt("poison", start))
	f.push(t, "", 0, alertAt("poison", start), alertAt("mail", start))
}

func (f *flaky) services(t *testing.T) (all []string) {
	t.Helper()
	page, err := f.List(t.Context(), incidents.Query{Limit: 200})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range page.Incidents {
		if s.Version != 1 {
			t.Errorf("%s moved %d times", s.ID, s.Version)
		}
		all = append(all, s.Service)
	}
	slices.Sort(all)
	return all
}

// What one group does to us must not stop the intake: it is set aside and counted, and
// all the others are folded once.
func TestAGroupThatCannotBeFoldedIsSetAside(t *testing.T) {
	t.Parallel()
	for name, plant := range map[string]func(f *flaky, o *worker.FolderOptions){
		"panic": func(_ *flaky, o *worker.FolderOptions) {
			o.Expected = func(a *incidents.Alert, _ time.Time) incidents.Expected {
				if a.Labels.Get("service") == "poison" {
					panic("poison")
				}
				return incidents.Expected{}
			}
		},
		"commit": func(f *flaky, _ *worker.FolderOptions) {
			f.commit = func(c *incidents.Commit) error {
				if opensPoison(c) {
					return errors.New("it cannot be encoded")
				}
				return nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := openFlaky(t, 1)
			o := worker.FolderOptions{
				Log: f, Store: f, Shards: 1, Policy: console, Now: time.Now, Logger: silent,
				Rules: func() incidents.Rules { return nil },
			}
			plant(f, &o)
			folder := worker.NewFolder(o)
			f.pushThree(t)
			tries := 1
			for step(t, folder) != nil {
				if tries++; tries > 20 {
					t.Fatal("the intake stands still")
				}
			}
			if tries < 3 {
				t.Errorf("given up after %d tries", tries)
			}
			if got := f.services(t); !slices.Equal(got, []string{"mail", "shop"}) || folder.Aside.Load() != 2 || folder.Alerts.Load() != 2 {
				t.Errorf("incidents of %v; %d alerts set aside, %d folded", got, folder.Aside.Load(), folder.Alerts.Load())
			}
			f.push(t, "", 0, alertAt("till", time.Now().UTC()))
			next := worker.NewFolder(o) // nobody folds again what was folded
			if err := step(t, next); err != nil || next.Alerts.Load() != 1 || len(f.services(t)) != 3 {
				t.Errorf("%v: the next process folds %d alerts", err, next.Alerts.Load())
			}
		})
	}
}

// choking is a rule of grouping that fails for each service given.
func choking(services ...string) func() incidents.Rules {
	return func() (rules incidents.Rules) {
		for _, name := range services {
			rules = append(rules, incidents.Rule{Match: []incidents.Matcher{{Label: "service", Op: "=", Value: name}, {Op: "=~"}}})
		}
		return rules
	}
}

// Also where not even the group of an alert can be told: the others are folded at once,
// once, and it is counted once. Where that is so of all, the log waits.
func TestAnAlertThatCannotBeGroupedIsSetAside(t *testing.T) {
	t.Parallel()
	f := openFlaky(t, 1)
	o := worker.FolderOptions{Log: f, Store: f, Shards: 1, Policy: console, Now: time.Now, Logger: silent, Rules: choking("poison")}
	folder := worker.NewFolder(o)
	f.pushThree(t)
	for range 2 {
		if err := step(t, folder); err != nil {
			t.Fatal(err)
		}
	}
	if got := f.services(t); !slices.Equal(got, []string{"mail", "shop"}) || folder.Aside.Load() != 2 || folder.Alerts.Load() != 2 {
		t.Errorf("incidents of %v; %d alerts set aside, %d folded", got, folder.Aside.Load(), folder.Alerts.Load())
	}
	for range 5 { // sent again and again it is one
		f.push(t, "", 0, alertAt("poison", time.Now().UTC()))
	}
	if err := step(t, folder); err != nil || folder.Aside.Load() != 7 {
		t.Errorf("%v; %d alerts set aside", err, folder.Aside.Load())
	}
	o.Rules = choking("a", "b", "c", "d")
	folder = worker.NewFolder(o)
	for _, service := range []string{"a", "b", "c", "d"} {
		f.push(t, "", 0, alertAt(service, time.Now().UTC()))
	}
	if err := step(t, folder); err == nil || folder.Aside.Load() != 0 {
		t.Errorf("%v; %d alerts set aside", err, folder.Aside.Load())
	}
	f.push(t, "", 0, alertAt("till", time.Now().UTC()))
	if err := step(t, folder); err != nil || folder.Aside.Load() != 4 || !slices.Equal(f.services(t), []string{"mail", "shop", "till"}) {
		t.Errorf("%v; %d alerts set aside, incidents of %v", err, folder.Aside.Load(), f.services(t))
	}
}

// Where every group fails, the fault is ours, and what waits is kept until it is mended.
func TestNotAllIsSetAside(t *testing.T) {
	t.Parallel()
	f := openFlaky(t, 1)
	folder := newFolder(f)
	f.commit = func(c *incidents.Commit) error {
		if len(c.Changes) > 0 {
			return errors.New("it cannot be encoded")
		}
		return nil
	}
	start := time.Now().UTC().Add(-time.Minute)
	for _, service := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		f.push(t, "", 0, alertAt(service, start))
	}
	for range 20 {
		if step(t, folder) == nil {
			t.Fatal("all was set aside")
		}
	}
	f.commit = nil
	if err := step(t, folder); err != nil || !slices.Equal(f.services(t), []string{"d", "e", "f", "g"}) || folder.Aside.Load() != 3 {
		t.Errorf("%v; incidents of %v, %d alerts set aside", err, f.services(t), folder.Aside.Load())
	}
}

// However long the store is away, slow or refuses everything: nothing is set aside.
func TestNothingIsSetAsideForTheStore(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]error{
		"away": fault.Unavailable("commit", nil), "full": fault.Overloaded("commit"), "slow": context.DeadlineExceeded, "broken": errors.New("out of order"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := openFlaky(t, 1)
			f.commit = func(*incidents.Commit) error { return failure }
			folder := newFolder(f)
			f.pushThree(t)
			for range 12 {
				if step(t, folder) == nil {
					t.Fatal("it was folded into a store that is away")
				}
			}
			f.commit = nil
			if err := step(t, folder); err != nil {
				t.Fatal(err)
			}
			if got := f.services(t); !slices.Equal(got, []string{"mail", "poison", "shop"}) || folder.Aside.Load() != 0 || folder.Alerts.Load() != 4 {
				t.Errorf("incidents of %v; %d alerts set aside, %d folded", got, folder.Aside.Load(), folder.Alerts.Load())
			}
		})
	}
}
