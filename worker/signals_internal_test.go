package worker

import (
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// A signal comes from outside: of a log that there is not, folding hears nothing.
func TestASignalOfNoLogIsNotHeard(t *testing.T) {
	t.Parallel()
	w := &Worker{shards: 2}
	signals, fold := make(chan incidents.Signal, 3), make(chan int, 3)
	for _, shard := range []int{2, -1, 1} {
		signals <- incidents.Signal{Kind: incidents.SignalIntake, Shard: shard}
	}
	close(signals)
	w.listen(t.Context(), signals, fold)
	close(fold)
	if first, again := <-fold, <-fold; first != 1 || again != 0 {
		t.Errorf("folding hears of logs %d and %d", first, again)
	}
}
