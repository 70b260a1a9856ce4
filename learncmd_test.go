package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/audit"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/learning/report"
	"github.com/hikeshi-ops/hikeshi/storage"
)

// What a store knows is exported, and can be replayed.
func TestAHistoryIsExportedAndReplayed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store, err := storage.Open(t.Context(), storage.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	for i := range 40 {
		c := &incidents.Commit{Shard: i % store.Shards()}
		service := fmt.Sprint("shop-", i%2)
		c.Facts = []incidents.Fact{
			{Kind: incidents.FactOutcome, Incident: incidents.ID(i + 1), Action: "fix-" + service, Value: 1, Took: time.Minute,
				At: at.Add(time.Duration(i) * time.Hour), Context: incidents.Context{Name: "Errors", Service: service, Failing: []string{"a/x", "b/y"}}},
			{Kind: incidents.FactOutcome, Incident: incidents.ID(i + 1), Action: "fix-shop-9", At: at}, // did not help
			{Kind: incidents.FactVote, Incident: incidents.ID(i + 1), Action: "fix-shop-9", Value: 1, Person: "p", At: at},
		}
		if err := store.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	var history, errs bytes.Buffer
	if code := run(t.Context(), []string{"learn", "export", "--data", dir}, streams{nil, &history, &errs}); code != exitOK {
		t.Fatalf("learn export exits %d: %s", code, errs.String())
	}
	file := filepath.Join(t.TempDir(), "history.jsonl")
	if err := os.WriteFile(file, history.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if code := run(t.Context(), []string{"learn", "replay", file, "--regime", "F0", "--json", "--score-from", "10"}, streams{nil, &out, &errs}); code != exitOK {
		t.Fatalf("learn replay exits %d: %s\n%s", code, errs.String(), history.String())
	}
	var figures struct {
		All struct {
			N    int     `json:"n"`
			Hit1 float64 `json:"hit1"`
		} `json:"all"`
		Learners []struct{ Name string } `json:"learners"`
	}
	if err := json.Unmarshal(out.Bytes(), &figures); err != nil || figures.All.N != 30 || figures.All.Hit1 < .9 || len(figures.Learners) != 5 {
		t.Errorf("%+v, %v of\n%s", figures, err, out.String())
	}
}

func TestReplayRefusesWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "bad.jsonl")
	good := `{"id":"a","t":5,"tr":9,"ctx":{},"action":"fix"}`
	if err := os.WriteFile(file, []byte(good+"\n{\"id\":\"b\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"learn", exitUsage, "usage"},
		{"learn replay", exitUsage, "usage"},
		{"learn replay " + file + " --regime F9", exitUsage, "F0, FD, S0, SN, WARM, WARMN, COMBN, B1, FROZEN"},
		{"learn replay " + file + " --flips 2", exitUsage, "usage"},
		{"learn replay " + file, exitInvalid, "line 2"},
		{"learn replay " + file + ".gone", exitFailed, "gone"},
	} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), strings.Fields(c.args), streams{nil, &out, &errs}); code != c.code || !strings.Contains(errs.String(), c.says) && language() == "en" {
			t.Errorf("hikeshi %s exits %d and says %q", c.args, code, errs.String())
		}
	}
}

// The report is made of what is in the store, for people and for programs.
func TestAReportIsMadeOfTheStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store, err := storage.Open(t.Context(), storage.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-time.Hour)
	for i := range 4 {
		f := incidents.Fact{Incident: incidents.ID(i + 1), At: at.Add(time.Duration(i) * time.Minute), Context: incidents.Context{Name: "Errors", Service: "shop"}}
		shown, chosen, outcome := f, f, f
		shown.Kind, shown.Shown = incidents.FactShown, []incidents.Shown{{Action: "a", Chance: .6, Propensity: 1}, {Action: "b", Chance: .4, Propensity: 1}}
		chosen.Kind, chosen.Action, chosen.Rank, chosen.Chance = incidents.FactChosen, "a", 1, .6
		outcome.Kind, outcome.Action, outcome.Value = incidents.FactOutcome, "a", 1
		if err := store.Commit(t.Context(), &incidents.Commit{Shard: i % store.Shards(), Facts: []incidents.Fact{shown, chosen, outcome}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"learn", "report", "--data", dir}, streams{nil, &out, &errs}); code != exitOK || !strings.Contains(out.String(), "100 % (4/4)") {
		t.Errorf("learn report exits %d: %s%s", code, errs.String(), out.String())
	}
	out.Reset()
	if code := run(t.Context(), []string{"learn", "report", "--json", "--data", dir}, streams{nil, &out, &errs}); code != exitOK {
		t.Errorf("learn report --json exits %d: %s", code, errs.String())
	}
	var r report.Report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil || r.All.Hit1 != (report.Share{N: 4, Of: 4}) || r.Facts != 12 || len(r.New) != 2 {
		t.Errorf("%+v, %v", r, err)
	}
}

// What is taken back from the command line is in the audit, intent before outcome,
// and in the report.
func TestWhatIsTakenBackIsRecorded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store, err := storage.Open(t.Context(), storage.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	vote := incidents.Fact{Kind: incidents.FactVote, Incident: 1, At: time.Now().Add(-time.Hour), Action: "a", Person: "slack:T1/U2", Value: 1, Context: incidents.Context{Service: "shop"}}
	other := vote
	other.Person = "slack:T1/U3"
	if err := errors.Join(store.Commit(t.Context(), &incidents.Commit{Facts: []incidents.Fact{vote, other}}), store.Close()); err != nil {
		t.Fatal(err)
	}
	if code, out := command(t, "learn", "undo", "--person", "slack:T1/U2", "--data", dir); code != exitOK {
		t.Fatalf("learn undo exits %d: %s", code, out)
	}
	if code, out := command(t, "learn", "reset", "--service", "shop", "--data", dir); code != exitOK {
		t.Fatalf("learn reset exits %d: %s", code, out)
	}
	var got []string
	for _, r := range exported(t, dir) {
		if r.Action == audit.ActUnlearn {
			got = append(got, fmt.Sprint(r.Kind, " ", r.By.ID, " ", r.Target, " ", r.Result))
		}
	}
	if code, out := command(t, "learn", "undo", "--person", "nobody", "--data", dir); code != exitFailed || !strings.Contains(out, "nobody") {
		t.Errorf("the votes of nobody: exits %d: %s", code, out)
	}
	want := []string{"intent cli votes of slack:T1/U2 ", "outcome cli  done", "intent cli service shop ", "outcome cli  done"}
	if !slices.Equal(got, want) {
		t.Errorf("the audit has %q, want %q", got, want)
	}
	code, out := command(t, "learn", "report", "--data", dir)
	if person, service := strings.Index(out, "T1/U2"), strings.Index(out, "shop"); code != exitOK || service < 0 || person < service {
		t.Errorf("learn report exits %d, without what was taken back, the latest first:\n%s", code, out)
	}
}
