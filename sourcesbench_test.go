package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/integrations/inquiry"
	fakes "github.com/hikeshi-ops/hikeshi/internal/fakes/sources"
)

// The first investigation through the real graph: ten servers of eight kinds over
// HTTP, and a room in Slack in which all that they told stands in one message.

const tenSources = `
within: $WITHIN
loki:
  - {name: logs-a, url: $0, token_file: $TOKEN, tenant: team, labels: {service_name: $service}}
  - {name: logs-b, url: $1, token_file: $TOKEN, tenant: team, labels: {service_name: $service}}
influxdb:
  - {name: influx-2, url: $2, version: 2, database: metrics, token_file: $TOKEN, series: [{title: cpu two, query: "SELECT mean(used) FROM cpu WHERE host = '$host' AND $time GROUP BY time($step), host"}]}
  - {name: influx-3, url: $3, version: 3, database: metrics, token_file: $TOKEN, series: [{title: cpu three, query: "SELECT date_bin($step, time) AS time, host, avg(used) AS used FROM cpu WHERE host = '$host' AND $time GROUP BY 1, host"}]}
newrelic: [{name: relic, url: $4, account: 7, token_file: $TOKEN, series: [{title: duration, query: "SELECT average(duration) FROM Transaction WHERE host = '$host' FACET host"}]}]
zabbix:
  - {name: zabbix-7, url: $5/zabbix, token_file: $TOKEN, items: [{query: "system.cpu.load[all,avg1]"}]}
  - {name: zabbix-6, url: $6/zabbix, token_file: $TOKEN, items: [{query: "system.cpu.load[all,avg1]"}]}
gitlab: [{name: lab, url: $7, project: web/shop, service: shop, environment: production, token_file: $TOKEN}]
github: [{name: hub, url: $8, repository: acme/shop, service: shop, token_file: $TOKEN}]
neo4j: [{name: graph, url: $9, user: reader, password_file: $TOKEN}]
`

// of the first nine, and of the last, which is the one that may be dead.
var (
	nineTold = []string{"payment refused", "more series moved", "raise the pool", "drop an index", "Disk is full"}
	lastTold = "storefront"
)

// asking is a Hikeshi that asks ten sources, each of whose answers takes a while; the
// last does what dead does, unless that is nil.
func asking(t testing.TB, takes time.Duration, within string, dead http.HandlerFunc) *everywhere {
	t.Helper()
	at := time.Now().Add(-time.Minute).Truncate(time.Second)
	servers := []*fakes.Server{
		fakes.Loki(t, at, 5000), fakes.Loki(t, at, 5000), fakes.InfluxDB2(t, at), fakes.InfluxDB3(t, at), fakes.NewRelic(t, at),
		fakes.Zabbix(t, at, "7.0.4", true), fakes.Zabbix(t, at, "6.0.14", false), fakes.GitLab(t, at), fakes.GitHub(t, at), fakes.Neo4j(t, at),
	}
	token := filepath.Join(t.TempDir(), "token")
	write(t, token, fakes.Token)
	text := strings.NewReplacer("$TOKEN", token, "$WITHIN", within).Replace(tenSources)
	for i, s := range servers {
		handle := s.Config.Handler.ServeHTTP
		if i == len(servers)-1 && dead != nil {
			handle = dead
		}
		front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(takes)
			handle(w, r)
		}))
		t.Cleanup(front.Close)
		text = strings.ReplaceAll(text, fmt.Sprintf("url: $%d", i), "url: "+front.URL)
	}
	var c inquiry.Config
	if err := yaml.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	return serveThere(t, true, unstormed, func(all *config.Config) {
		all.Diagnostics = c
		all.Grouping = []config.Rule{{Name: "each", Match: []string{`service="shop"`}, GroupBy: []string{"n"}}}
	})
}

func (w *everywhere) breaks(n int) {
	w.t.Helper()
	w.send("POST", "/v1/alerts/generic", map[string]any{
		"title": fmt.Sprintf("probe %d", n), "service": fakes.Service, "labels": map[string]string{"host": fakes.Host, "n": fmt.Sprint(n)},
	})
}

// investigations are the rooms' messages of what was found, by the number of the alert.
func (w *everywhere) investigations() map[int]string {
	w.t.Helper()
	found := map[int]string{}
	for _, r := range w.slack.Rooms() {
		for _, m := range r.Messages {
			if _, number, ok := strings.Cut(r.Name, "-probe-"); ok && m.Key == "diagnostics" {
				var n int
				if _, err := fmt.Sscan(number, &n); err != nil {
					w.t.Fatal(err)
				}
				found[n] = m.Blocks
			}
		}
	}
	return found
}

func tells(message string, all ...string) bool {
	for _, what := range all {
		if !strings.Contains(message, what) {
			return false
		}
	}
	return true
}

// TestADeadSourceDelaysNobody: what nine sources told stands in the room while the
// tenth is still silent, and the room says so; what becomes of that one follows.
func TestADeadSourceDelaysNobody(t *testing.T) {
	t.Parallel()
	silent := make(chan struct{})
	w := asking(t, 0, "1h", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the server sees that nobody waits only after the body
		select {
		case <-silent:
			w.WriteHeader(http.StatusBadGateway)
		case <-r.Context().Done():
		}
	})
	w.breaks(1)
	w.await("what the nine told", func() bool { return tells(w.investigations()[1], append(nineTold, "Still looking")...) })
	close(silent)
	w.await("the end of the investigation", func() bool {
		m := w.investigations()[1]
		return tells(m, append(nineTold, "Could not be asked")...) && !tells(m, "Still looking")
	})
}

// BenchmarkInvestigation is row 19 of docs/performance.md. It sends an alert a second
// and looks when what the sources told stands in the room: of ten that take 200 ms for
// each answer, and of nine while the tenth never answers; then also when that is said.
//
//	go test . -run '^$' -bench '^BenchmarkInvestigation' -benchtime 100x
func BenchmarkInvestigation(b *testing.B) {
	const takes = 200 * time.Millisecond
	b.Run("ten", func(b *testing.B) {
		w := asking(b, takes, "10s", nil)
		complete := append(nineTold, lastTold)
		tell(b, w.timed(b, func(m string) bool { return tells(m, complete...) && !tells(m, "Still looking") })[0])
	})
	b.Run("onedead", func(b *testing.B) {
		w := asking(b, takes, "10s", func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		})
		took := w.timed(b, func(m string) bool { return tells(m, nineTold...) }, func(m string) bool { return tells(m, "Did not answer in time") })
		tell(b, took[0])
		b.ReportMetric(slices.Max(took[1]).Seconds(), "named-s") // the last to be named: its deadline, and a little
	})
}

// timed sends b.N alerts and measures for each how long it takes until each stage.
func (w *everywhere) timed(b *testing.B, stages ...func(message string) bool) [][]time.Duration {
	took := make([][]time.Duration, len(stages))
	sent, reached := []time.Time{}, map[int]int{}
	pace, look := time.NewTicker(time.Second), time.NewTicker(5*time.Millisecond)
	defer pace.Stop()
	defer look.Stop()
	for done := 0; done < b.N; {
		select {
		case <-pace.C:
			if len(sent) < b.N {
				sent = append(sent, time.Now())
				w.breaks(len(sent) - 1)
			}
		case <-look.C:
			for n, message := range w.investigations() {
				stage := reached[n]
				if stage == len(stages) || !stages[stage](message) {
					if stage < len(stages) && time.Since(sent[n]) > time.Minute {
						b.Fatalf("alert %d never came to stage %d: %s", n, stage, message)
					}
					continue
				}
				took[stage] = append(took[stage], time.Since(sent[n]))
				if reached[n] = stage + 1; stage+1 == len(stages) {
					done++
				}
			}
		}
	}
	return took
}
