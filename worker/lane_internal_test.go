package worker

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// TestFailuresAreToldOnce: where everything fails alike, a lane says it once in
// ten seconds, with how often; another lane says its own.
func TestFailuresAreToldOnce(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	now := time.Date(2026, 2, 3, 14, 3, 0, 0, time.UTC)
	w := &Worker{logger: slog.New(slog.NewTextHandler(&log, nil)), now: func() time.Time { return now }}
	rank, run := newLane(w, "rank", 1), newLane(w, "run", 1)
	fail := func(l *lane, n int) (said string) {
		log.Reset()
		for range n {
			l.tellRetry(&incidents.Claim{Attempt: 1}, now, errors.New("disk full"))
		}
		return log.String()
	}
	if said := fail(rank, 5); strings.Count(said, "\n") != 1 || !strings.Contains(said, "times=1") {
		t.Errorf("at first: %q", said)
	}
	if said := fail(run, 1); !strings.Contains(said, "lane=run") {
		t.Errorf("another lane: %q", said)
	}
	now = now.Add(complainEvery - 1)
	if said := fail(rank, 2); said != "" {
		t.Errorf("within ten seconds: %q", said)
	}
	now = now.Add(1)
	if said := fail(rank, 1); strings.Count(said, "\n") != 1 || !strings.Contains(said, "times=7") {
		t.Errorf("after ten seconds: %q", said)
	}
}
