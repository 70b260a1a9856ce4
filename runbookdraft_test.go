package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage"
	"github.com/hikeshi-ops/hikeshi/worker"
)

// What somebody said in the room to have run by hand becomes a draft, which lint
// refuses and says why. Other talk of the only room there is is not kept.
func TestCommandsSaidInARoomBecomeADraft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store, err := storage.Open(t.Context(), storage.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	engine := worker.NewEngine(worker.EngineOptions{Store: store, Shards: store.Shards(), Policy: incidents.Policy{Chats: []string{"console"}}, Now: time.Now, Before: worker.Before{Freeze: worker.NewFreezer(store, time.Now)}})
	bea := incidents.Actor{ID: "console:bea", Name: "Bea"}
	inc, err := engine.Declare(t.Context(), "", incidents.Declare{Title: "The shop is slow", Severity: incidents.Sev2, By: bea})
	if err != nil {
		t.Fatal(err)
	}
	said := talk{engine, false, func(s string) string { return strings.ReplaceAll(s, "s3cret", "•••") }}
	for id, text := range map[string]string{"1": "I look at it", "2": "it helped:\n$ systemctl restart nginx --token s3cret"} {
		if err := said.Said(t.Context(), inc.ID, incidents.Said{Chat: "console", MessageID: id, By: bea, Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	now, err := engine.Do(t.Context(), inc.ID, "", incidents.Resolve{By: bea})
	if err != nil || len(now.Said) != 1 || !now.Draftable() {
		t.Fatalf("heard %v, %v; a draft: %v", now.Said, err, now.Draftable())
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	code, out := command(t, "runbook", "draft", inc.ID.String(), "--data", dir)
	if code != exitOK || !strings.Contains(out, `argv: ["systemctl", "restart", "nginx", "--token", "•••"]`) {
		t.Fatalf("runbook draft exits %d: %s", code, out)
	}
	file := filepath.Join(t.TempDir(), "draft.yaml")
	if err := os.WriteFile(file, []byte(strings.TrimSuffix(out, lastLine(out))), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out := command(t, "runbook", "lint", file); code != exitInvalid || !strings.Contains(out, "risk") || !strings.Contains(out, "verify") {
		t.Errorf("runbook lint exits %d: %s", code, out)
	}
	for word, want := range map[string]int{"INC-99": exitFailed, "nonsense": exitUsage} {
		if code, out := command(t, "runbook", "draft", word, "--data", dir); code != want {
			t.Errorf("runbook draft %s exits %d: %s", word, code, out)
		}
	}
}

// lastLine is what is said beside the draft.
func lastLine(out string) string {
	lines := strings.SplitAfter(strings.TrimSuffix(out, "\n"), "\n")
	return lines[len(lines)-1] + "\n"
}
