package prometheus_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/prometheus"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

func question(service string, before time.Duration) diagnostics.Question {
	now := time.Now()
	return diagnostics.Question{Incident: &incidents.Incident{Service: service}, From: now.Add(-before), To: now, Alert: now.Add(-before / 2)}
}

func open(t *testing.T, c prometheus.Config) *prometheus.Source {
	t.Helper()
	s, err := prometheus.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections)
	return s
}

func TestARealPrometheusTellsItsSeries(t *testing.T) {
	server := testenv.Prometheus(t, "global: {scrape_interval: 100ms}\nscrape_configs: [{job_name: self, static_configs: [{targets: [127.0.0.1:1], labels: {service: shop}}]}]\n")
	s := open(t, prometheus.Config{Name: "prometheus", URL: "http://" + server.Addr(), Series: []prometheus.Query{
		{Title: "up", Query: `up{service="$service"}`},
		{Title: "others only", Query: `nonsense(`, For: "mail"},
	}})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		answer, err := s.Ask(ctx, question("shop", 10*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		if len(answer.Series) == 1 && len(answer.Series[0].Points) >= 2 {
			got := answer.Series[0]
			if got.Title != "up" || got.Points[0].V != 0 || !strings.Contains(got.Of, "service=shop") || !strings.Contains(got.URL, "/graph?g0.end_input=") {
				t.Errorf("%+v", got)
			}
			break
		}
	}
	if _, err := s.Ask(ctx, question("mail", time.Minute)); err == nil || !strings.Contains(err.Error(), "parse error") {
		t.Errorf("a query that is wrong: %v", err)
	}
	other, err := s.Ask(ctx, question("another", time.Minute))
	if err != nil || len(other.Series) != 0 {
		t.Errorf("%+v, %v", other, err)
	}
}

// What an alert says must never become more of a query than a name.
func TestNothingFromAnAlertIsPartOfAQuery(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer server.Close()
	s := open(t, prometheus.Config{URL: server.URL, Series: []prometheus.Query{{Query: `up{service="$service"}`}}})
	for _, service := range append(testenv.Injections("pwned"), `shop"} or vector(1) or up{a="`, "", "a\nb", strings.Repeat("x", 200)) {
		_, err := s.Ask(t.Context(), question(service, time.Minute))
		if bad, ok := errors.AsType[*incidents.Error](err); !ok || bad.Phrase != "clue.missing.unfit" {
			if strings.Trim(service, "abcdefghijklmnopqrstuvwxyz0123456789_.:/@-ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || service == "" {
				t.Errorf("%q: %v", service, err)
			}
		}
	}
	for _, query := range []string{`up{service=$service}`, `up{service="a$service"}`, `$metric`, "", `up{a="$"}`} {
		if _, err := prometheus.New(prometheus.Config{URL: server.URL, Series: []prometheus.Query{{Query: query}}}); err == nil {
			t.Errorf("%q was taken", query)
		}
	}
}

func TestABadServerIsAnError(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"no json":   func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
		"no matrix": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"data":{"resultType":"scalar"}}`) },
		"refuses":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
		"elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusFound)
		},
		"endless": func(w http.ResponseWriter, r *http.Request) {
			for chunk := strings.Repeat("x", 1<<16); ; {
				if _, err := fmt.Fprint(w, chunk); err != nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(answer)
			defer server.Close()
			s := open(t, prometheus.Config{Name: "p", URL: server.URL, Series: []prometheus.Query{{Query: "up"}}})
			if got, err := s.Ask(t.Context(), question("shop", time.Minute)); err == nil || len(got.Series) > 0 {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func TestOddValuesAreGaps(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"data":{"resultType":"matrix","result":[{"metric":{"instance":"a"},"values":[[1,"NaN"],[2,"+Inf"],[3.5,"4"],[4,5],["x","1"]]}]}}`)
	}))
	defer server.Close()
	s := open(t, prometheus.Config{URL: server.URL, Series: []prometheus.Query{{Query: "up"}}})
	got, err := s.Ask(t.Context(), question("shop", time.Minute))
	if err != nil || len(got.Series) != 1 || len(got.Series[0].Points) != 3 || got.Series[0].Points[2].V != 4 {
		t.Errorf("%+v, %v", got, err)
	}
}

// A question that panics is this source's trouble, and no process's.
func TestAQuestionThatPanicsIsAnError(t *testing.T) {
	s := open(t, prometheus.Config{URL: "http://127.0.0.1:1", Series: []prometheus.Query{{Query: "up", For: "shop"}}})
	if _, err := s.Ask(t.Context(), diagnostics.Question{}); err == nil || !strings.Contains(err.Error(), "panic: ") { // about no incident
		t.Errorf("%v", err)
	}
}
