package runbooks

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"go.uber.org/goleak"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// The test binary is also the guard of the commands that the tests run.
func TestMain(m *testing.M) {
	steps.BeGuard()
	goleak.VerifyTestMain(m)
}

// plainBook is a runbook without a problem; tests change lines of it.
const plainBook = `id: restart-web
title: {en: Restart the web server, ja: Webサーバーを再起動する}
fits: ['service="web"']
risk: low
check:
  - id: site
    title: {en: The site answers, ja: サイトが応答する}
    http: {url: 'http://web.example/health', expect: {status: 200}}
recover:
  - id: restart
    title: {en: Restart, ja: 再起動}
    command: {argv: [systemctl, restart, web.service]}
verify: {same_as: check, every: 1s, stable: 10s, within: 1m}
escalate: {en: Call the web team., ja: Webチームに連絡してください。}
`

// withLine replaces the line of plainBook that begins so, and those below that
// are indented deeper.
func withLine(t *testing.T, begins, with string) string {
	t.Helper()
	lines := strings.SplitAfter(plainBook, "\n")
	at := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, begins) })
	if at < 0 {
		t.Fatalf("no line begins with %q", begins)
	}
	end := at + 1
	for end < len(lines) && strings.HasPrefix(lines[end], " ") {
		end++
	}
	if with != "" {
		with += "\n"
	}
	return strings.Join(lines[:at], "") + with + strings.Join(lines[end:], "")
}

// load makes a library of files that have no problems.
func load(t *testing.T, vars map[string]string, sources ...string) *Library {
	t.Helper()
	files := fstest.MapFS{}
	for i, s := range sources {
		files[fmt.Sprintf("%d.yaml", i)] = &fstest.MapFile{Data: []byte(s)}
	}
	l, problems := Load(Sources{Embedded: files, Vars: vars})
	for _, p := range problems {
		if !p.Warning {
			t.Fatal(p.Text(phrases.English, phrases.Fill))
		}
	}
	return l
}

// incident is one with these labels, as name, value pairs.
func incident(labels ...string) *incidents.Incident {
	m := map[string]string{}
	for i := 0; i+1 < len(labels); i += 2 {
		m[labels[i]] = labels[i+1]
	}
	return &incidents.Incident{ID: 42, Version: 1, Common: incidents.LabelsFromMap(m)}
}
