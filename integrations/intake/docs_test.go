package intake_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/alertmanager"
	"github.com/hikeshi-ops/hikeshi/integrations/generic"
	"github.com/hikeshi-ops/hikeshi/integrations/intake"
)

type discard struct{}

func (discard) Append(context.Context, *incidents.Batch) error { return nil }

// example is a curl command of the documentation and the answer below it.
var example = regexp.MustCompile("(?s)```sh\ncurl --json '(.*?)'[ \\\\\n]+http://localhost:8080(\\S+)\n```\n```json\n(.*?\n)```")

func TestTheExamplesOfTheDocumentationAreTrue(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/api-intake.md")
	if err != nil {
		t.Fatal(err)
	}
	v, err := intake.New(intake.Options{Log: discard{}})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/v1/alerts/alertmanager", v.Handler("alertmanager", alertmanager.DecodeWebhook))
	mux.Handle("/api/v2/alerts", v.Handler("prometheus", alertmanager.DecodeAPI))
	mux.Handle("/v1/alerts/generic", v.Handler("generic", generic.Decode))
	examples := example.FindAllStringSubmatch(string(page), -1)
	if n := strings.Count(string(page), "curl --json"); len(examples) != n || n == 0 {
		t.Fatalf("%d of %d examples have an answer", len(examples), n)
	}
	for _, e := range examples {
		r := httptest.NewRequest(http.MethodPost, "http://localhost:8080"+e[2], strings.NewReader(e[1]))
		r.RemoteAddr = "127.0.0.1:40000"
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if w.Body.String() != e[3] {
			t.Errorf("%s\n%s\nanswers %sdocumented %s", e[2], e[1], w.Body, e[3])
		}
	}
}

func TestTheDocumentedLimitsAreTheLimits(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/api-intake.md")
	if err != nil {
		t.Fatal(err)
	}
	l := intake.DefaultLimits()
	for _, row := range []string{
		fmt.Sprintf("| header | %d KiB |", intake.HeaderBytes>>10),
		fmt.Sprintf("| body, as sent | %d MiB |", l.Body>>20),
		fmt.Sprintf("| body, decompressed | %d MiB, and %d times", l.Decompressed>>20, l.Ratio),
		fmt.Sprintf("| alerts a POST | %d,%03d |", l.Alerts/1000, l.Alerts%1000),
		fmt.Sprintf("| nesting of the JSON | %d |", l.Depth),
		fmt.Sprintf("| time to send the body | %d s |", int(l.ReadTimeout.Seconds())),
		fmt.Sprintf("| labels, annotations | %d each |", l.Labels),
		fmt.Sprintf("| name of a label | %d bytes |", l.Name),
		fmt.Sprintf("| value | %d KiB |", l.Value>>10),
		fmt.Sprintf("| link | %d KiB, http", l.Value>>10),
		fmt.Sprintf("at least %d bytes", intake.MinToken),
	} {
		if !strings.Contains(string(page), row) {
			t.Errorf("docs/api-intake.md does not say %q", row)
		}
	}
}
