package prometheus

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func client(t testing.TB, o Options) *Client {
	t.Helper()
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// Debian's Prometheus is asked things whose answers are known.
func TestARealPrometheusAnswers(t *testing.T) {
	t.Parallel()
	rules := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(rules, []byte(`
groups:
- name: known
  rules:
  - {record: known:shops, expr: "label_replace(vector(7), \"service\", \"checkout\", \"\", \"\") or label_replace(vector(+Inf), \"service\", \"カート\", \"\", \"\")"}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	p := testenv.Prometheus(t, fmt.Sprintf("global: {evaluation_interval: 1s}\nrule_files: [%s]\n", rules))
	c := client(t, Options{URL: p.URL})
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

	got, err := c.Query(t.Context(), `label_replace(vector(2.5), "service", "checkout", "", "")`, at)
	want := incidents.LabelsFromMap(map[string]string{"service": "checkout"})
	if err != nil || len(got) != 1 || got[0].Value != 2.5 || !got[0].At.Equal(at) || got[0].Labels.Key() != want.Key() {
		t.Errorf("vector: %v %v", got, err)
	}
	if got, err = c.Query(t.Context(), `time()`, at.Add(1500*time.Millisecond)); err != nil || len(got) != 1 || got[0].Value != float64(at.Unix())+1.5 || got[0].Labels != nil {
		t.Errorf("scalar: %v %v", got, err)
	}
	if got, err = c.Query(t.Context(), `vector(0)/0`, at); err != nil || len(got) != 1 || !math.IsNaN(got[0].Value) {
		t.Errorf("NaN: %v %v", got, err)
	}
	if got, err = c.Query(t.Context(), `-1/vector(0)`, time.Time{}); err != nil || len(got) != 1 || !math.IsInf(got[0].Value, -1) {
		t.Errorf("infinity: %v %v", got, err)
	}
	if got, err = c.Query(t.Context(), `nothing_of_that_name`, at); err != nil || len(got) != 0 {
		t.Errorf("nothing: %v %v", got, err)
	}
	got, err = c.QueryRange(t.Context(), `vector(time())`, at, at.Add(time.Minute), 20*time.Second)
	if err != nil || len(got) != 4 || got[3].Value != float64(at.Unix()+60) || !got[1].At.Equal(at.Add(20*time.Second)) {
		t.Errorf("range: %v %v", got, err)
	}
	wait(t, func() bool {
		got, err = c.Query(t.Context(), `sort(known:shops)`, time.Time{})
		return err == nil && len(got) == 2
	})
	if got[0].Value != 7 || !math.IsInf(got[1].Value, 1) || got[1].Labels.Get("service") != "カート" || got[0].Labels.Get("__name__") != "known:shops" {
		t.Errorf("stored series: %v", got)
	}

	for query, code := range map[string]incidents.Code{
		`sum(`: incidents.Invalid, `"text"`: incidents.Invalid, `{}`: incidents.Invalid,
		`known:shops * on() group_left known:shops`: incidents.Invalid,
	} {
		_, err := c.Query(t.Context(), query, time.Time{})
		e, ok := errors.AsType[*incidents.Error](err)
		if !ok || e.Code != code || e.Hint == "" {
			t.Errorf("%s: %v", query, err)
		}
	}
	_, err = c.QueryRange(t.Context(), `vector(1)`, at, at.Add(24*time.Hour), time.Second)
	if incidents.CodeOf(err) != incidents.Invalid || !strings.Contains(err.Error(), "11,000 points") {
		t.Errorf("too fine a step: %v", err)
	}
}

// wait asks until the answer is yes; the thing waited for has no event.
func wait(t *testing.T, yes func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(30 * time.Second); ; {
		if yes() {
			return
		}
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("it did not happen in 30 s")
		}
	}
}

func TestWhatIsNotAPrometheus(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer func(w http.ResponseWriter, r *http.Request)
		code   incidents.Code
		says   string
	}{
		"HTML":  {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }, incidents.Unavailable, "status 200"},
		"login": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, incidents.Unavailable, "status 401"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest", http.StatusFound)
		}, incidents.Unavailable, "status 302"},
		"too much": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"status":"success","data":{"x":"` + strings.Repeat("x", MaxReply) + `"}}`))
		}, incidents.TooLarge, "1048576 bytes"},
		"other JSON":    {text(`{"ok":true}`), incidents.Unavailable, "status 200"},
		"odd sample":    {text(`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"x"]}]}}`), incidents.Unavailable, "not that of"},
		"short sample":  {text(`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1]}]}}`), incidents.Unavailable, "not that of"},
		"histogram":     {text(`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"histogram":[1,{}]}]}}`), incidents.Invalid, "native histogram"},
		"string":        {text(`{"status":"success","data":{"resultType":"string","result":[1,"x"]}}`), incidents.Invalid, "not made of numbers"},
		"its own error": {text(`{"status":"error","errorType":"timeout","error":"query timed out\n\u001b[31m"}`), incidents.Unavailable, "prometheus: query timed out  [31m"},
	} {
		srv := httptest.NewServer(http.HandlerFunc(tt.answer))
		c := client(t, Options{URL: srv.URL + "/prefix/"})
		_, err := c.Query(t.Context(), "up", time.Time{})
		if incidents.CodeOf(err) != tt.code || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", name, err)
		}
		c.Close()
		srv.Close()
	}
}

func text(s string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, s) }
}

func TestARequestIsWhatItShouldBe(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/prefix/api/v1/query_range" || r.Header.Get("Authorization") != "Bearer t0ken" {
			t.Errorf("%s with %q", r.URL.Path, r.Header.Get("Authorization"))
		}
		if got := r.URL.Query().Encode(); got != "end=1.500&query=a%2Bb%7Bc%3D%22d%26e%22%7D&start=0.000&step=0.25&timeout=3s" {
			t.Errorf("asked %s", got)
		}
		fmt.Fprint(w, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"b":"2","a":"1"},"values":[[0,"1"],[0.25,"NaN"]]}]}}`)
	}))
	t.Cleanup(srv.Close)
	c := client(t, Options{URL: srv.URL + "/prefix", Bearer: "t0ken", Timeout: 3 * time.Second})
	got, err := c.QueryRange(t.Context(), `a+b{c="d&e"}`, time.Unix(0, 0), time.UnixMilli(1500), 250*time.Millisecond)
	if err != nil || len(got) != 2 || got[0].Labels[0].Name != "a" || !got[1].At.Equal(time.UnixMilli(250)) || !math.IsNaN(got[1].Value) {
		t.Errorf("%v %v", got, err)
	}
}

func TestAServerThatIsAwayOrSlow(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	c := client(t, Options{URL: srv.URL, Timeout: 20 * time.Millisecond})
	_, err := c.Query(t.Context(), "secret_query", time.Time{})
	if incidents.CodeOf(err) != incidents.Unavailable || !strings.Contains(err.Error(), "20ms") || strings.Contains(err.Error(), "secret_query") {
		t.Errorf("slow: %v", err)
	}
	close(release)
	srv.Close()
	_, err = c.Query(t.Context(), "secret_query", time.Time{})
	if incidents.CodeOf(err) != incidents.Unavailable || !strings.Contains(err.Error(), "cannot be reached") || strings.Contains(err.Error(), "secret_query") {
		t.Errorf("away: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Query(ctx, "up", time.Time{}); incidents.CodeOf(err) != incidents.Unavailable {
		t.Errorf("cancelled: %v", err)
	}
}

func TestOptionsAndRangesThatAreWrong(t *testing.T) {
	t.Parallel()
	for _, u := range []string{"", "prometheus:9090", "ftp://x", "http://", "http://user:secret@x", "http://x/?a=b", "http://x/#f", "://"} {
		if _, err := New(Options{URL: u}); incidents.CodeOf(err) != incidents.Invalid || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", u, err)
		}
	}
	c := client(t, Options{URL: "http://127.0.0.1:1"})
	now := time.Unix(1000, 0)
	if _, err := c.QueryRange(t.Context(), "up", now, now, 0); incidents.CodeOf(err) != incidents.Invalid {
		t.Errorf("no step: %v", err)
	}
	if _, err := c.QueryRange(t.Context(), "up", now, now.Add(-1), time.Second); incidents.CodeOf(err) != incidents.Invalid {
		t.Errorf("backwards: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"b"},"value":[1.5,"2"]}]}}`))
	f.Add([]byte(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1,"2"],[2,"+Inf"]]}]}}`))
	f.Add([]byte(`{"status":"success","data":{"resultType":"scalar","result":[1e300,"2"]}}`))
	f.Add([]byte(`{"status":"error","errorType":"bad_data","error":"x"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, err := decode(200, body); err != nil {
			if _, ok := errors.AsType[*incidents.Error](err); !ok {
				t.Fatalf("not an error for people: %v", err)
			}
		}
	})
}
