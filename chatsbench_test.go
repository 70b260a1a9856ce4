package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/config"
)

// Rows 16 and 16b of docs/performance.md: the real graph with Slack, Discord and
// the console over SQLite, with chats that answer at once and no rates to keep.
//
//	go test . -run '^$' -bench '^BenchmarkChat' -benchtime 200x

func unstormed(c *config.Config) { c.Chats.Storm = config.Storm{PerMinute: 1 << 20, PerHour: 1 << 20} }

func tell(b *testing.B, took []time.Duration) {
	b.Helper()
	slices.Sort(took)
	for _, p := range []int{50, 99, 100} {
		at := took[max(len(took)*p/100-1, 0)]
		b.ReportMetric(float64(at.Microseconds())/1000, fmt.Sprintf("p%d-ms", p))
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkChatAlertToRoom sends 20 alerts a second, each an incident of its own,
// and looks when its card stands in a room in Slack.
func BenchmarkChatAlertToRoom(b *testing.B) {
	w := serveThere(b, true, unstormed)
	sent := make([]time.Time, b.N)
	pace := time.NewTicker(50 * time.Millisecond)
	defer pace.Stop()
	for i := range b.N {
		<-pace.C
		sent[i] = time.Now()
		w.send("POST", "/v1/alerts/generic", map[string]string{"title": fmt.Sprintf("burst %d", i), "service": fmt.Sprintf("s%d", i)})
	}
	stood := map[int]time.Time{}
	w.await("all cards", func() bool {
		for _, r := range w.slack.Rooms() {
			for _, m := range r.Messages {
				if _, number, ok := strings.Cut(r.Name, "-burst-"); ok && m.Key == "card" {
					var i int
					if _, err := fmt.Sscan(number, &i); err != nil {
						b.Fatal(err)
					}
					stood[i] = m.At
				}
			}
		}
		return len(stood) == b.N
	})
	took := make([]time.Duration, 0, b.N)
	for i, at := range stood {
		took = append(took, at.Sub(sent[i]))
	}
	tell(b, took)
}

// BenchmarkChatClick presses buttons in Slack, each of which changes the
// incident, and looks when Slack is told that it was taken.
func BenchmarkChatClick(b *testing.B) {
	for name, slow := range map[string]time.Duration{"quick": 0, "slow": 3 * time.Second} {
		b.Run(name, func(b *testing.B) {
			w := serveThere(b, true, unstormed)
			w.alert("shop")
			w.await("the suggestions", func() bool { return strings.Contains(w.inSlack(1, "suggestions"), ".apa.") })
			room, on := w.state(1).Rooms["slack"].ID, w.slackMessage(1, "suggestions").TS
			w.slack.Slow(slow)
			took := make([]time.Duration, 0, b.N)
			for i := range b.N {
				got := w.slack.Press("U1", room, on, []string{"h1.1.up.fix.", "h1.1.down.fix."}[i%2])
				if got.Status != http.StatusOK {
					b.Fatalf("press %d: %+v", i, got)
				}
				took = append(took, got.Took)
			}
			w.slack.Slow(0)
			w.await("the vote", func() bool { return len(w.state(1).Votes["fix"]) == 1 })
			tell(b, took)
		})
	}
}
