package worker

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// poisoned is an intake whose first log makes whoever reads it panic.
type poisoned struct{ read []int }

func (p *poisoned) ReadLog(_ context.Context, log int, _ int64, _ int) ([]incidents.Entry, error) {
	if p.read = append(p.read, log); log == 0 {
		panic("poison")
	}
	return nil, nil
}

func (*poisoned) Mark(context.Context, int, int) (int64, error) { return 0, nil }

func (*poisoned) LoadMany(context.Context, []incidents.Ref) ([]*incidents.Incident, error) {
	return nil, nil
}

// A log that cannot be folded does not keep the others from being folded.
func TestAPanicInOneLogIsItsOwn(t *testing.T) {
	t.Parallel()
	now, log := func() time.Time { return time.Unix(1_700_000_000, 0) }, slog.New(slog.DiscardHandler)
	p := &poisoned{}
	w := &Worker{now: now, logger: log, timeout: time.Minute, folder: NewFolder(FolderOptions{
		Log: p, Shards: 3, Now: now, Logger: log, Rules: func() incidents.Rules { return nil },
	})}
	look := []bool{true, true, true}
	if w.foldOnce(t.Context(), look) || !slices.Equal(p.read, []int{0, 1, 2}) || !slices.Equal(look, []bool{true, false, false}) {
		t.Errorf("read %v, and looks on at %v", p.read, look)
	}
	if w.trouble.Load() == 0 || w.lastFold.Load() != 0 {
		t.Error("nobody hears of it")
	}
}
