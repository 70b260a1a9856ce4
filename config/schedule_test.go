package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks"
)

func TestScheduleProblems(t *testing.T) {
	found := strings.Join(problemsIn(t, `schedules:
  - {name: Nightly, cron: 30 3 * * *, runbook: a}
  - {name: twice, cron: 30 3 * * *, runbook: a}
  - {name: twice, cron: "@every 5m", runbook: a}
  - {name: seconds, cron: 0 30 3 * * *, runbook: a}
  - {name: place, cron: 30 3 * * *, timezone: Mars/Olympus, runbook: a}
`, "en", nil), "\n")
	for _, want := range []string{"“Nightly” is no name", "another schedule “twice”", "@every", "“0 30 3 * * *”", "Mars/Olympus", "crontab"} {
		if !strings.Contains(found, want) {
			t.Errorf("the problems lack %s:\n%s", want, found)
		}
	}
}

// TestSchedulesOnlyLook: what a schedule names is held against the runbooks.
func TestSchedulesOnlyLook(t *testing.T) {
	t.Setenv("HIKESHI_LANGUAGE", "en")
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const looks = `
id: look
title: {en: Look, ja: 見る}
fits: ['alertname="X"']
params:
  host: {type: string, match: '[a-z]{1,9}'}
check:
  - {id: up, title: {en: Up, ja: 稼働}, command: {argv: [uptime, "{host}"]}}
`
	write("look.yaml", looks)
	write("mend.yaml", strings.Replace(looks, "id: look", "id: mend\nrisk: low", 1)+`
recover:
  - {id: go, title: {en: Go, ja: 実行}, command: {argv: [systemctl, restart, "{host}"]}}
verify:
  within: 5m
  steps:
    - {id: up, title: {en: Up, ja: 稼働}, command: {argv: [uptime]}}
escalate: {en: Call, ja: 連絡}
`)
	for _, c := range []struct{ runbook, params, phrase string }{
		{"look", "{host: db}", ""},
		{"look", "{host: DB-1}", "cannot be"},
		{"look", "{}", "needs"},
		{"look", "{host: db, more: x}", "more"},
		{"mend", "{host: db}", "changes something"},
		{"gone", "{}", "no runbook “gone”"},
	} {
		write("h.yaml", fmt.Sprintf("runbooks: {paths: [look.yaml, mend.yaml]}\nschedules:\n  - {name: s, cron: 0 3 * * *, runbook: %s, params: %s}\n", c.runbook, c.params))
		read, err := Load(filepath.Join(dir, "h.yaml"), func(string) string { return "" })
		if err != nil {
			t.Fatal(err)
		}
		settled, err := read.Settle()
		if err != nil {
			t.Fatal(err)
		}
		library, problems := runbooks.Load(settled.RunbookSources())
		if bad := runbooks.Errors(problems); len(bad) > 0 {
			t.Fatal(bad)
		}
		err = settled.FitSchedules(library)
		if c.phrase == "" {
			if err != nil {
				t.Errorf("%s %s: %v", c.runbook, c.params, err)
			}
			continue
		}
		e, is := errors.AsType[*incidents.Error](err)
		if !is || e.Code != incidents.Invalid || !strings.Contains(e.Message, c.phrase) || !strings.Contains(e.Message, "h.yaml:") {
			t.Errorf("%s %s: %v, want %q", c.runbook, c.params, err, c.phrase)
		}
	}
}
