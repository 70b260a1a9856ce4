package crash

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
)

// place is where a run keeps its data.
type place struct {
	dir   string // of SQLite, the configuration, the file of executions
	redis string // URL with a prefix of its own; "": SQLite
}

func (p place) executions() string { return filepath.Join(p.dir, "executions") }

// health is what the runbook looks at: it is well once something was executed.
func (p place) health() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, err := os.Stat(p.executions()); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
}

func (p place) serve() []string {
	return []string{"serve", "--config", filepath.Join(p.dir, "hikeshi.yaml")}
}

// supervisor keeps a hikeshi in this place, whose claims run out quickly.
func (p place) supervisor(env ...string) *supervisor {
	return &supervisor{args: p.serve(), env: append([]string{"HIKESHI_CHAOS_LEASE=500ms"}, env...), changed: make(chan struct{})}
}

// configure writes the configuration and the one runbook.
// gate, where given, are further arguments of the remedy.
func (p place) configure(health string, gate ...string) error {
	more := ""
	for _, arg := range gate {
		more += fmt.Sprintf(", %q", arg)
	}
	return errors.Join(
		os.Mkdir(filepath.Join(p.dir, "runbooks"), 0o700),
		os.WriteFile(filepath.Join(p.dir, "hikeshi.yaml"), fmt.Appendf(nil, `
listen: 127.0.0.1:0
data: ./data
store: %q
shards: %d
console:
  people: [{name: ann, token: %s}, {name: bea, token: %s}]
sources: []
grouping:
  - {name: quiet, match: ['service="queue"'], group_by: [service], quiet: 50ms, reopen: 100ms}
  - {name: all, match: ['service=~".+"'], group_by: [service]}
runbooks:
  paths: [./runbooks]
  vars: {health: %q, remedy: %q, file: %q}
log: {level: warn}
`, p.redis, p.shards(), tokenOf("ann"), tokenOf("bea"), health, remedy, p.executions()), 0o600),
		os.WriteFile(filepath.Join(p.dir, "runbooks", "fix.yaml"), fmt.Appendf(nil, `
id: crash-fix
title: {en: Write a line, ja: 行を書く}
what: {en: Appends its execution to a file., ja: 実行をファイルに追記する。}
where: {en: Here., ja: ここ。}
how: {en: Once., ja: 一度だけ。}
fits: ['service=~"api|billing|cart"']
risk: low
check:
  - id: health
    title: {en: It was put right, ja: 直っている}
    http: {url: '{var.health}/', expect: {status: 200}}
    timeout: 5s
recover:
  - id: append
    title: {en: Append, ja: 追記}
    command: {argv: ['{var.remedy}', '{var.file}'%s]}
    timeout: 30s
verify: {same_as: check, every: 1s, stable: 0s, within: 25s, alerts: cleared}
escalate: {en: Call somebody., ja: 誰かを呼ぶ。}
`, more), 0o600))
}

// configureMany adds the runbook of the many runs: it takes a moment, so that it can be
// killed in its middle, and has longer to be seen to have helped.
func (p place) configureMany() error {
	fix, err := os.ReadFile(filepath.Join(p.dir, "runbooks", "fix.yaml"))
	if err != nil {
		return err
	}
	many := strings.NewReplacer("id: crash-fix", "id: many-fix", "api|billing|cart", "shop[0-9]+", "within: 25s", "within: 5m",
		"verify: {", "  - {id: linger, command: {argv: [sleep, '0.2']}, timeout: 30s}\nverify: {").Replace(string(fix))
	return os.WriteFile(filepath.Join(p.dir, "runbooks", "many.yaml"), []byte(many), 0o600)
}

func (p place) shards() int {
	if p.redis != "" {
		return 4
	}
	return 1
}
