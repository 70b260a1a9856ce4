package scrape_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/scrape"
)

func TestGaugesAreValuesAndCountersRates(t *testing.T) {
	at := time.Unix(1000, 0)
	counts := []string{"10", "30", "5", "NaN", "25"} // it began anew, and said nonsense
	read := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "# HELP q A { brace.\n# TYPE q gauge\nq{name=\"a } \\\" b\",x=\"y\"} %d\n# TYPE r_total counter\nr_total %s\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_count %d\nh_sum 3 1395066363000\nnonsense\n{} 1\nq 1 2 3\n", read, counts[read], 10*read)
		read++
	}))
	defer server.Close()
	s, err := scrape.New(scrape.Config{Service: "shop", URL: server.URL + "/metrics"}, func() time.Time { return at })
	if err != nil {
		t.Fatal(err)
	}
	for range counts {
		s.Read(t.Context())
		at = at.Add(10 * time.Second)
	}
	q := diagnostics.Question{Incident: &incidents.Incident{Service: "shop"}}
	answer, err := s.Ask(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]diagnostics.Series{}
	for _, one := range answer.Series {
		got[one.Title] = one
	}
	if len(got) != 4 || len(got["q"].Points) != 5 || got["q"].Points[4].V != 4 || got["q"].Of != `name=a } \ b x=y` && got["q"].Of == "" {
		t.Errorf("%+v", got)
	}
	rates := got["r_total per second"].Points
	if len(rates) != 2 || rates[0].V != 2 || rates[1].V != 1 {
		t.Errorf("rates: %+v", rates)
	}
	if h := got["h_count per second"].Points; len(h) != 4 || h[0].V != 1 {
		t.Errorf("count: %+v", h)
	}
	q.Incident = &incidents.Incident{Service: "mail"}
	if other, err := s.Ask(t.Context(), q); err != nil || len(other.Series) > 0 {
		t.Errorf("%+v %v", other, err)
	}
	server.Close()
	s.Read(t.Context())
	q.Incident = &incidents.Incident{Service: "shop"}
	if still, err := s.Ask(t.Context(), q); err == nil || len(still.Series) != 4 {
		t.Errorf("when it is gone: %d series, %v", len(still.Series), err)
	}
}
