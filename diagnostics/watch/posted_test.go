package watch

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/integrations/intake"
	target "github.com/hikeshi-ops/hikeshi/integrations/logs"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
	"github.com/hikeshi-ops/hikeshi/storage"
)

// TestLinesThatArePosted: from the POST of a shipper to the alert, by two replicas over
// one store. Each is sent lines, and what one was sent the other knows.
func TestLinesThatArePosted(t *testing.T) {
	t.Parallel()
	store, err := storage.Open(t.Context(), storage.Config{Dir: t.TempDir(), Shards: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	p := newPlant(nil)
	clock := time.Unix(noon, 0)
	rules := []Rule{
		{Name: "oom", Kind: Logs, Service: "shop", Keyword: "Out of Memory", Count: 3, Every: time.Minute, Looks: 1, Of: 1, Clear: 2 * time.Minute},
		{Name: "fresh", Kind: Logs, Host: "web-1", Trends: []string{"new"}, Count: 2, Every: time.Minute, Looks: 1, Of: 1, Clear: time.Minute},
	}
	type replica struct {
		post  func(body string)
		watch *Watcher
	}
	begin := func(self string) replica {
		now := func() time.Time { return clock }
		tally := NewTally(rules, now)
		lines := target.New(target.Config{Store: store, Self: self, Clean: steps.NewRedactor().Excerpt, Logger: slog.New(slog.DiscardHandler), Heard: tally.Add})
		receiver, err := intake.New(intake.Options{Log: p, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		door := receiver.Door("logs", lines.Take)
		w, err := New(Options{
			Rules: rules, Tally: tally, Sources: []diagnostics.Owned{{Source: lines, Whose: diagnostics.Everybody}}, Settings: store, Log: p, Now: now, Logger: slog.New(slog.DiscardHandler),
			Say: func(key string, args ...string) string { return phrases.T(phrases.English, key, args...) }, Clean: func(s string) string { return s },
		})
		if err != nil {
			t.Fatal(err)
		}
		return replica{watch: w, post: func(body string) {
			r := httptest.NewRequest(http.MethodPost, "/v1/logs", strings.NewReader(body))
			r.RemoteAddr, r.Host = "127.0.0.1:5000", "localhost"
			answer := httptest.NewRecorder()
			door.ServeHTTP(answer, r)
			if b, err := io.ReadAll(answer.Body); answer.Code != http.StatusOK || err != nil {
				t.Fatalf("%d %s %v", answer.Code, b, err)
			}
		}}
	}
	look := func(m int, replicas ...replica) {
		t.Helper()
		clock = time.Unix(minute(m)+1, 0)
		for _, r := range replicas {
			for i := len(r.watch.watches) - 1; i >= 0; i-- { // the templates catch up, and the keywords hear of it
				if err := r.watch.watches[i].look(t.Context(), minute(m)); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	line := func(text string) string {
		return `{"service":"shop","host":"web-1","message":"` + text + `"}` + "\n"
	}
	one, two := begin("one"), begin("two")
	look(0, one, two)
	for range 6 {
		one.post(line("GET /cart took 12 ms"))
	}
	clock = clock.Add(10 * time.Minute)
	look(10, one, two)
	p.said(t)
	one.post(line("kernel: OUT OF MEMORY: killed 1"))
	two.post(line("kernel: OUT OF MEMORY: killed 2") + line("kernel: OUT OF MEMORY: killed 3") + `{"service":"mail","message":"out of memory"}`)
	look(11, two, one)
	p.said(t, "fresh fires: Lines of a new or a bursting kind: 3 since 12:11 UTC.", "oom fires: “Out of Memory” in the log, 3× since 12:11 UTC.")
}
