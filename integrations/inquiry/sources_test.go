package inquiry_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/ask"
	"github.com/hikeshi-ops/hikeshi/integrations/hostlog"
	"github.com/hikeshi-ops/hikeshi/integrations/inquiry"
	fakes "github.com/hikeshi-ops/hikeshi/internal/fakes/sources"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// alert is when it broke: long enough ago that something can be seen.
func alert() time.Time { return time.Now().Add(-90 * time.Second).Truncate(time.Second) }

// broken is the incident that all sources are asked about.
func broken(at time.Time) *incidents.Incident {
	return &incidents.Incident{ID: 7, Version: 1, Service: fakes.Service, Title: "ShopDown", OpenedAt: at, Common: incidents.NewLabels([]incidents.Label{{Name: "host", Value: fakes.Host}})}
}

type noPast struct{}

func (noPast) List(context.Context, incidents.Query) (incidents.Page, error) {
	return incidents.Page{}, nil
}
func (noPast) Load(context.Context, incidents.ID) (*incidents.Incident, error) { return nil, nil }
func (noPast) PushRings(context.Context, string, incidents.RingBound, []incidents.RingItem) (int64, error) {
	return 0, errors.New("nothing is sent here")
}
func (noPast) PullRings(context.Context, string, int64, int) ([]incidents.RingItem, int64, error) {
	return nil, 0, nil
}

type noChecks struct{}

func (noChecks) Diagnose(context.Context, *incidents.Incident) []incidents.Finding { return nil }

// settle reads a configuration as it stands in a file; $URL and $TOKEN are put in.
func settle(t *testing.T, text, url string, hosts hostlog.Reader, customers ...incidents.Customer) (inquiry.Settled, []inquiry.Problem) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(fakes.Token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var c inquiry.Config
	if err := yaml.Unmarshal([]byte(strings.NewReplacer("$URL", url, "$TOKEN", file).Replace(text)), &c); err != nil {
		t.Fatal(err)
	}
	c.Within = inquiry.Duration(time.Hour) // however busy the machine is
	return c.Settle(hosts, customers)
}

// investigator asks all that is configured about an incident, and gives a line for
// each clue that a source had.
func investigator(t *testing.T, text, url string, hosts hostlog.Reader, customers ...incidents.Customer) func(context.Context, *incidents.Incident) []string {
	t.Helper()
	settled, problems := settle(t, text, url, hosts, customers...)
	if len(problems) > 0 {
		t.Fatalf("%+v", problems)
	}
	if strings.Contains(text, "$TOKEN") && !strings.Contains(strings.Join(settled.Secrets, " "), fakes.Token) {
		t.Error("the token is not among the secrets")
	}
	all, err := inquiry.Open(t.Context(), "self", settled, noPast{}, steps.NewRedactor(settled.Secrets...), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	asked := all.Investigator(noChecks{}, nil)
	return func(ctx context.Context, s *incidents.Incident) (found []string) {
		clues := asked.Diagnose(ctx, s, func(incidents.Diagnosed) {}).Clues
		for _, c := range clues {
			sameKind := func(other incidents.Clue) bool { return other.Kind == c.Kind && other.Title == c.Title }
			if c.Kind != incidents.ClueMissing && ctx.Err() == nil && !slices.ContainsFunc(asked.Only(ctx, s, c.Kind, "").Clues, sameKind) {
				t.Errorf("%q is not told who asks for %s only", c.Title, c.Kind)
			}
		}
		for _, c := range clues {
			if !phrases.Has(c.Says.Phrase) {
				t.Errorf("the catalogue has no %s", c.Says.Phrase)
			}
			if c.Kind != incidents.CluePast {
				found = append(found, fmt.Sprintf("%s: %s %s %s %v %s", c.Kind, cmp.Or(c.Title, c.Source), c.Detail, c.Says.Phrase, c.Says.Args, c.URL))
			}
		}
		return found
	}
}

func holds(found []string, want string) bool {
	for _, line := range found {
		all := true
		for _, part := range strings.Split(want, "|") {
			all = all && strings.Contains(line, part)
		}
		if all {
			return true
		}
	}
	return false
}

// system is a server with the configuration that asks it, and parts of the clues
// that it must lead to.
type system struct {
	start  func(testing.TB, time.Time) *fakes.Server
	config string
	want   []string
	quiet  bool // of a host or a service that it does not know it tells the same
}

var systems = map[string]system{
	"loki": {
		start:  func(t testing.TB, at time.Time) *fakes.Server { return fakes.Loki(t, at, 5000) },
		config: `loki: [{url: $URL, token_file: $TOKEN, tenant: team, labels: {service_name: $service, env: 'a"b'}, link: "https://g.example.com/explore?from=$from&h=$host"}]`,
		want:   []string{`log: |payment refused|clue.log.new|https://g.example.com/explore?from=1|h=web-1`},
	},
	"loki with many lines": {
		start:  func(t testing.TB, at time.Time) *fakes.Server { return fakes.Loki(t, at, 100) },
		config: `loki: [{url: $URL, token_file: $TOKEN, tenant: team, labels: {service_name: $service}, lines: 100}]`,
		want:   []string{`log: |payment refused|clue.log.new`, `missing: |clue.missing.only|n:117`},
	},
	"influxdb 2": {
		start:  fakes.InfluxDB2,
		config: `influxdb: [{url: $URL, version: 2, database: metrics, token_file: $TOKEN, link: "https://g.example.com/d/x?to=$to", series: [{title: cpu, query: "SELECT mean(used) FROM cpu WHERE host = '$host' AND $time GROUP BY time($step), host"}]}]`,
		want:   []string{`series: cpu (host=web-1)|clue.series.times|after:40|https://g.example.com/d/x?to=1`},
	},
	"influxdb 3": {
		start:  fakes.InfluxDB3,
		config: `influxdb: [{url: $URL, version: 3, database: metrics, token_file: $TOKEN, series: [{title: cpu, query: "SELECT date_bin($step, time) AS time, host, avg(used) AS used FROM cpu WHERE host = '$host' AND $time GROUP BY 1, host"}]}]`,
		want:   []string{`series: cpu (host=web-1)|clue.series.times|after:40`},
	},
	"new relic": {
		start:  fakes.NewRelic,
		config: `newrelic: [{url: $URL, account: 7, token_file: $TOKEN, series: [{title: duration, query: "SELECT average(duration) FROM Transaction WHERE host = '$host' FACET host"}]}]`,
		want:   []string{`series: duration (web-1)|clue.series.times|after:40`},
	},
	"zabbix 7": {
		start:  func(t testing.TB, at time.Time) *fakes.Server { return fakes.Zabbix(t, at, "7.0.4", true) },
		config: zabbixConfig,
		want: []string{
			`series: Load average|clue.series.times|after:40|/zabbix/history.php?action=showgraph|itemids%5B%5D=42`,
			`problem: Disk is full on /var|clue.problem.lasts|severity:4|/zabbix/tr_events.php?eventid=31&triggerid=9`, `problem: Swap is used|clue.problem.over|severity:2`,
		},
	},
	"zabbix 6": {
		start:  func(t testing.TB, at time.Time) *fakes.Server { return fakes.Zabbix(t, at, "6.0.14", false) },
		config: zabbixConfig,
		want:   []string{`series: Load average|after:40`},
	},
	"neo4j": {
		start:  fakes.Neo4j,
		config: `neo4j: [{url: $URL, user: reader, password_file: $TOKEN}]`,
		want:   []string{`service: shop|clue.service.owner|web team|https://wiki.example.com/shop`, `service: shop|clue.service.blast|storefront`, `service: shop|clue.service.needs|payment`},
	},
	"gitlab": {
		start:  fakes.GitLab,
		config: `gitlab: [{url: $URL, project: web/shop, service: shop, environment: production, token_file: $TOKEN}]`,
		want: []string{
			`change: shop: gitlab: raise the pool f00d|by:Ann|https://git.example.com/web/shop/-/commit/f00d`, `change: shop: main → production (failed)|by:Bo|/web/shop/-/deployments`,
		},
		quiet: true,
	},
	"github": {
		start:  fakes.GitHub,
		config: `github: [{url: $URL, repository: acme/shop, service: shop, token_file: $TOKEN}]`,
		want:   []string{`change: shop: github: drop an index beef|by:Cy|/commit/beef`, `change: shop: v7 → production beef|by:cy`, `change: shop: Seven v7|by:cy`},
		quiet:  true,
	},
}

const zabbixConfig = `zabbix: [{url: $URL/zabbix, token_file: $TOKEN, items: [{query: "system.cpu.load[all,avg1]"}]}]`

func TestEachSourceTellsWhatBroke(t *testing.T) {
	t.Parallel()
	for name, x := range systems {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := alert()
			server := x.start(t, at)
			found := investigator(t, x.config, server.URL, nil)(t.Context(), broken(at))
			for _, want := range x.want {
				if !holds(found, want) {
					t.Errorf("%q is missing in\n%s", want, strings.Join(found, "\n"))
				}
			}
			if all := strings.Join(found, "\n"); strings.Contains(all, "hunter2") || strings.Contains(all, "v1 →") || strings.Contains(all, "failed ") {
				t.Errorf("a secret, or what is too old:\n%s", all)
			}
		})
	}
}

// What an alert says must never become more of a query than a value: the fakes
// refuse a query of another shape, and fail the test.
func TestNothingFromAnAlertIsPartOfAQueryElsewhere(t *testing.T) {
	t.Parallel()
	at := alert()
	for name, x := range systems {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := x.start(t, at)
			investigate := investigator(t, x.config, server.URL, nil)
			for _, word := range []string{`shop"} |= "x`, `web-1' OR host = 'web-1`, `x\`, `$service`, "a\nb", "$(touch pwned)", "\x00\xff{{.}}"} {
				s := broken(at)
				s.Service, s.Common = word, incidents.NewLabels([]incidents.Label{{Name: "host", Value: word}})
				for _, line := range investigate(t.Context(), s) {
					if !x.quiet && !strings.HasPrefix(line, "missing: ") || strings.Contains(line, "clue.missing.failed") {
						t.Errorf("%q: %s", word, line)
					}
				}
			}
		})
	}
}

// Whatever a server answers, its source is named and nothing else happens.
func TestASourceThatLiesIsNamed(t *testing.T) {
	t.Parallel()
	lies := map[string]http.HandlerFunc{
		"html":     func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>sign in</html>") },
		"nothing":  func(http.ResponseWriter, *http.Request) {},
		"a number": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `7`) },
		"half":     func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"data":{"result":[{"val`) },
		"refuses":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusFound)
		},
		"hangs up": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
	for name, x := range systems {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := alert()
			server := x.start(t, at)
			investigate := investigator(t, x.config, server.URL, nil)
			for lie, handler := range lies {
				server.Instead(handler)
				found := investigate(t.Context(), broken(at))
				if len(found) != 1 || !holds(found, "missing: |clue.missing.failed") || strings.Contains(found[0], fakes.Token) || strings.Contains(found[0], server.URL) {
					t.Errorf("%s: %q", lie, found)
				}
			}
		})
	}
}

func TestAnAnswerThatDoesNotEndIsLeft(t *testing.T) {
	t.Parallel()
	at := alert()
	server := systems["new relic"].start(t, at)
	server.Instead(func(w http.ResponseWriter, _ *http.Request) {
		for chunk := strings.Repeat(" ", 1<<20); ; {
			if _, err := fmt.Fprint(w, chunk); err != nil {
				return
			}
		}
	})
	found := investigator(t, systems["new relic"].config, server.URL, nil)(t.Context(), broken(at))
	if len(found) != 1 || !holds(found, "missing: |clue.missing.failed|larger than 8 MiB") {
		t.Errorf("%q", found)
	}
}

// A server that accepts and says nothing is given up with the investigation; the
// server notices that nobody waits any more.
func TestASourceThatHangsIsGivenUp(t *testing.T) {
	t.Parallel()
	for name, x := range systems {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := alert()
			server := x.start(t, at)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			server.Instead(func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body) // a server sees that nobody waits only after the body
				cancel()
				<-r.Context().Done()
			})
			for _, line := range investigator(t, x.config, server.URL, nil)(ctx, broken(at)) {
				if !strings.HasPrefix(line, "missing: ") {
					t.Error(line)
				}
			}
		})
	}
}

// Whose a source is holds for every kind: where one is another customer's, not even
// its name is told, and its server hears nothing.
func TestEverySourceIsItsCustomers(t *testing.T) {
	t.Parallel()
	at := alert()
	customers := []incidents.Customer{{Name: "acme", Services: []string{"shop"}}, {Name: "globex"}}
	for name, x := range systems {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := x.start(t, at)
			if _, problems := settle(t, x.config, server.URL, nil, customers...); len(problems) != 1 || !strings.HasSuffix(problems[0].Key, "[0].customer") {
				t.Errorf("without a customer: %+v", problems)
			}
			theirs := investigator(t, strings.Replace(x.config, "[{", "[{customer: globex, ", 1), server.URL, nil, customers...)
			s := broken(at)
			for customer, want := range map[string]int{"globex": len(x.want), "acme": 0, "": 0} {
				if s.Customer = customer; customer != "globex" {
					server.Instead(func(http.ResponseWriter, *http.Request) { t.Errorf("asked about what is of %q", customer) })
				} else {
					server.Instead(nil)
				}
				if found := theirs(t.Context(), s); len(found) < want || want == 0 && len(found) > 0 {
					t.Errorf("of %q: %q", customer, found)
				}
			}
		})
	}
}

// A question that panics is that question's trouble, and no process's.
func TestAQuestionThatPanicsIsAnError(t *testing.T) {
	t.Parallel()
	answer, err := ask.Each(3, func(i int) (diagnostics.Answer, error) {
		switch i {
		case 0:
			return diagnostics.Answer{Left: 1}, nil
		case 1:
			panic("oh")
		}
		return diagnostics.Answer{Left: 2}, errors.New("no")
	})
	if answer.Left != 3 || err == nil || err.Error() != "panic: oh (+1)" {
		t.Errorf("%+v %v", answer, err)
	}
}

// Forms that are right but for what is in them: gaps, NaN, times twice or backwards.
func TestOddValuesAreLeftOut(t *testing.T) {
	t.Parallel()
	at := alert()
	for name, answer := range map[string]string{
		"loki":       `{"data":{"resultType":"streams","result":[{"values":[["x","a"],["1"],[],["9223372036854775808","b"],[1,2],["5",null]]}]}}`,
		"influxdb 2": `{"results":[{"series":[{"columns":["time","mean"],"values":[[1,null],[null,1],[],[3],["x","y"],[4,"NaN"],[1e300,1]]},{"columns":["mean"],"values":[[1]]}]}]}`,
		"influxdb 3": `[{"time":"2026-01-01T00:00:00","used":"NaN"},{"time":"2026-01-01T00:00:00","used":null},{"time":7,"used":1},{}]`,
		"new relic":  `{"data":{"actor":{"account":{"nrql":{"results":[{"beginTimeSeconds":1,"average":null},{"average":3},{"beginTimeSeconds":"x"},{"beginTimeSeconds":2,"facet":[null,7],"p":{"95":1}},null]}}}}}`,
		"neo4j":      `{"data":{"fields":["name","depends_on"],"values":[[null,["a"]],[7,7],[],["x",[7,null,"y"]],["x"]]}}`,
		"gitlab":     `[{},{"title":"x"},null]`,
		"github":     `[{},{"sha":"x","tag_name":"y"},null]`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := systems[name].start(t, at)
			server.Instead(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer) })
			if found := investigator(t, systems[name].config, server.URL, nil)(t.Context(), broken(at)); len(found) > 0 {
				t.Errorf("%q", found)
			}
		})
	}
}

// Eight are dead in eight ways, and the ninth is heard.
func TestOneThatAnswersIsHeardAmongTheDead(t *testing.T) {
	t.Parallel()
	at := alert()
	server, dead := fakes.GitLab(t, at), fakes.Loki(t, at, 1)
	dead.Instead(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	config := systems["gitlab"].config
	for _, name := range []string{"loki", "influxdb 2", "new relic", "zabbix 7", "neo4j", "github"} {
		config += "\n" + strings.ReplaceAll(systems[name].config, "$URL", dead.URL)
	}
	found := investigator(t, config, server.URL, nil)(t.Context(), broken(at))
	missing := 0
	for _, line := range found {
		if strings.HasPrefix(line, "missing: ") {
			missing++
		}
	}
	if missing != 6 || !holds(found, "raise the pool") {
		t.Errorf("%d are missing:\n%s", missing, strings.Join(found, "\n"))
	}
}

func TestABadConfigurationIsRefusedWithItsKey(t *testing.T) {
	t.Parallel()
	for text, key := range map[string]string{
		`loki: [{url: "http://h", labels: {a b: c}}]`: "loki[0]", `loki: [{url: "http://h"}]`: "loki[0]", `loki: [{url: h, labels: {a: b}}]`: "loki[0]",
		`loki: [{url: "http://h", labels: {a: b}, link: "https://$host/x"}]`:                                        "loki[0]",
		`loki: [{url: "http://h", labels: {a: b}, token_file: /nowhere}]`:                                           "loki[0].token_file",
		`influxdb: [{url: "http://h", database: m, series: [{query: "SELECT a FROM b WHERE c = '$d'"}]}]`:           "influxdb[0]", // no $time
		`influxdb: [{url: "http://h", database: m, series: [{query: "DROP MEASUREMENT x WHERE $time"}]}]`:           "influxdb[0]",
		`influxdb: [{url: "http://h", database: m, series: [{query: "SELECT a FROM b WHERE c = $d AND $time"}]}]`:   "influxdb[0]",
		`influxdb: [{url: "http://h", database: m, series: [{query: "SELECT a FROM b WHERE $timeout AND $time"}]}]`: "influxdb[0]",
		`influxdb: [{url: "http://u:p@h", database: m}]`:                                                            "influxdb[0]",
		`newrelic: [{account: 7}]`: "newrelic[0]",
		`newrelic: [{account: 7, token_file: $TOKEN, series: [{query: "SELECT count(*) FROM X SINCE 1 day ago"}]}]`: "newrelic[0]",
		`zabbix: [{url: "http://h"}]`:                           "zabbix[0]",
		`gitlab: [{url: "http://h", project: "../x"}]`:          "gitlab[0]",
		`github: [{repository: "acme/.."}]`:                     "github[0]",
		`neo4j: [{url: "http://h"}, {url: "ftp://h"}]`:          "neo4j[1]",
		`host_logs: [{host: web-1, unit: "-x.service"}]`:        "host_logs[0]",
		`host_logs: [{host: web-1, unit: a.service, file: /x}]`: "host_logs[0]",
		`host_logs: [{host: web-1, file: /var/../etc/shadow}]`:  "host_logs[0]",
		`host_logs: [{host: nobody, file: /var/log/x}]`:         "host_logs[0]",
	} {
		if _, problems := settle(t, text, "", remote{}); len(problems) != 1 || problems[0].Key != key {
			t.Errorf("%s: %+v", text, problems)
		}
	}
}
