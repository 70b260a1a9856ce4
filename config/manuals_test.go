package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks"
)

// What a runbook says of its manual is held against the trackers, and for whom it is
// against the customers.
func TestManualsHaveATracker(t *testing.T) {
	t.Setenv("HIKESHI_LANGUAGE", "en")
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("h.yaml", `runbooks: {paths: [look.yaml]}
trackers:
  - {name: wiki, kind: backlog, url: "https://example.backlog.com", token: key-of-the-bot, project: OPS, type: Task}
  - {name: git, kind: gitlab, url: "https://gitlab.example.com", token: key-of-the-bot, project: ops/incidents}
tickets: [{tracker: wiki}]
`)
	read, err := Load(filepath.Join(dir, "h.yaml"), func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	settled, err := read.Settle()
	if err != nil {
		t.Fatal(err)
	}
	write("look.yaml", "id: look\ntitle: {en: Look, ja: 見る}\nfits: any\ncustomers: [acme, acne]\ncheck: [{command: {argv: [uptime]}}]\n")
	if _, problems := runbooks.Load(settled.RunbookSources()); len(problems) != 2 {
		t.Errorf("a runbook of customers where there are none: %v", problems)
	}
	settled.CustomerRules = incidents.Customers{{Name: "acme"}}
	if _, problems := runbooks.Load(settled.RunbookSources()); len(problems) != 1 || problems[0].What.Args["customer"] != "acne" {
		t.Errorf("a runbook of a customer that there is not: %v", problems)
	}
	for manual, problem := range map[string]string{
		"":                            "",
		"{from: wiki, page: Disk}":    "",
		"{from: git, file: disk.md}":  "",
		"{from: gone, page: Disk}":    "no tracker of this configuration",
		"{from: git, page: Disk}":     "of kind gitlab",
		"{from: wiki, file: disk.md}": "of kind backlog",
	} {
		text := "id: look\ntitle: {en: Look, ja: 見る}\nfits: any\ncheck: [{command: {argv: [uptime]}}]\n"
		if manual != "" {
			text += fmt.Sprintf("manual: %s\n", manual)
		}
		write("look.yaml", text)
		library, problems := runbooks.Load(settled.RunbookSources())
		if bad := runbooks.Errors(problems); len(bad) > 0 {
			t.Fatal(bad)
		}
		switch err := settled.FitManuals(library); {
		case problem == "" && err != nil:
			t.Errorf("%s: %v", manual, err)
		case problem != "" && (err == nil || !strings.Contains(err.Error(), problem) || !strings.Contains(err.Error(), "look")):
			t.Errorf("%s: %v, want %q", manual, err, problem)
		}
	}
}
