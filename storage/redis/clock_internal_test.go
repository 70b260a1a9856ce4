package redis

import (
	"testing"
	"time"
)

// A server says its time somewhere on the way there and back: what the way took is no
// fault of the clock.
func TestSkew(t *testing.T) {
	t.Parallel()
	sent := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct{ way, server, want time.Duration }{
		{0, 0, 0}, {0, time.Hour, -time.Hour}, {0, -time.Hour, time.Hour},
		{2 * time.Second, time.Second, 0}, {2 * time.Second, 0, 0}, {2 * time.Second, 2 * time.Second, 0},
		{2 * time.Second, 61 * time.Second, -59 * time.Second}, {2 * time.Second, -61 * time.Second, 61 * time.Second},
		{3 * time.Minute, -time.Minute, time.Minute}, {3 * time.Minute, 4 * time.Minute, -time.Minute},
	} {
		if got := skew(sent, sent.Add(c.server), sent.Add(c.way)); got != c.want {
			t.Errorf("%s there and back, %s: %s, want %s", c.way, c.server, got, c.want)
		}
	}
}
