package intake

import (
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// A door's answers speak of what it is for, not of alerts, and say what was left out.
func TestADoorSpeaksOfWhatItIsFor(t *testing.T) {
	limits := DefaultLimits()
	limits.Body = 64
	v, err := New(Options{Log: nowhere{}, Limits: limits, Rand: func(int) int { return 4 }})
	if err != nil {
		t.Fatal(err)
	}
	door := v.Door("changes", func(_ string, body []byte, _ time.Time) (int, int, error) {
		switch string(body) {
		case "full":
			return 0, 0, incidents.Fail(incidents.Overloaded, "error.overloaded", "too much is waiting")
		case "away":
			return 0, 0, incidents.Fail(incidents.Unavailable, "error.store_away", "the store is away")
		case "half":
			return 3, 2, nil
		}
		return 3, 0, nil
	})
	for _, x := range []struct {
		method, body string
		status       int
		says         string
	}{
		{"POST", "all", 200, `{"accepted":3}`},
		{"POST", "half", 200, `{"accepted":3,"left_out":2}`},
		{"POST", "full", 503, "too many changes at once"},
		{"POST", "away", 503, "the changes could not be stored"},
		{"POST", strings.Repeat("x", 65), 413, "send fewer changes a POST"},
		{"GET", "", 405, "changes are sent with POST"},
	} {
		r := httptest.NewRequest(x.method, "/v1/changes", strings.NewReader(x.body))
		r.RemoteAddr, r.Host = "127.0.0.1:5000", "localhost"
		w := httptest.NewRecorder()
		door.ServeHTTP(w, r)
		b, err := io.ReadAll(w.Body)
		if err != nil || w.Code != x.status || !strings.Contains(string(b), x.says) || strings.Contains(string(b), "alert") {
			t.Errorf("%s %q: %d %s %v", x.method, x.body, w.Code, b, err)
		}
		if retry := w.Header().Get("Retry-After"); (retry == "5") != (x.status == 503) {
			t.Errorf("%q: Retry-After %q", x.body, retry)
		}
	}
}
