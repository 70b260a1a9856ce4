package diagnostics

import (
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/analysis/logs"
)

// What a log tells depends on how much of it is known: of what was never seen for
// long nobody can say what is usual.
func TestTrendsOfYoungLogs(t *testing.T) {
	t.Parallel()
	alert := time.Date(2026, 11, 22, 14, 0, 2, 0, time.UTC)
	every := func(b *Book, line string, from, to, step time.Duration) {
		for at := from; at < to; at += step {
			b.Add(alert.Add(at), line)
		}
	}
	for name, c := range map[string]struct {
		fill func(*Book)
		to   time.Duration
		want string // trends, and where one vanished, at most how many are usual
		most float64
	}{
		"one line, just now": {func(b *Book) { b.Add(alert.Add(-time.Second), "first line ever") }, time.Hour, "", 0},
		"one line, then others": {func(b *Book) {
			b.Add(alert.Add(-6*time.Second), "all is well")
			every(b, "disk broke at sector 7", 100*time.Millisecond, time.Second, 100*time.Millisecond)
		}, 12 * time.Second, "new", 0},
		"a lively one that falls silent": {func(b *Book) { every(b, "request served", -9*time.Second, -2*time.Second, 200*time.Millisecond) }, 10 * time.Second, "vanished", 60},
		"the same, asked for much later": {func(b *Book) { every(b, "request served", -9*time.Second, -2*time.Second, 200*time.Millisecond) }, time.Hour, "vanished", 200},
		"the same, going on":             {func(b *Book) { every(b, "request served", -9*time.Second, time.Hour, 200*time.Millisecond) }, time.Hour, "", 0},
		"an old one that falls silent":   {func(b *Book) { every(b, "request served", -time.Hour, -6*time.Minute, 5*time.Second) }, 10 * time.Minute, "vanished", 185},
		"an old one that bursts": {func(b *Book) {
			every(b, "request served", -time.Hour, time.Minute, 30*time.Second)
			every(b, "request served", 0, time.Minute, time.Second)
		}, time.Minute, "bursting", 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := NewBook()
			c.fill(b)
			var said []string
			for _, trend := range b.Trends(alert.Add(-time.Hour), alert, alert.Add(c.to)) {
				said = append(said, string(trend.Trend))
				if trend.Trend == logs.Vanished && (trend.Usual > c.most || trend.Usual < c.most/3) {
					t.Errorf("%.1f would be usual, want about %.0f", trend.Usual, c.most)
				}
			}
			if got := strings.Join(said, ","); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
