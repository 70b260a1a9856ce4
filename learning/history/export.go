package history

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/learning"
)

// historyLine is an incident as learn replay reads it.
type historyLine struct {
	ID       string            `json:"id"`
	At       int64             `json:"t"`
	Resolved int64             `json:"tr"`
	Context  map[string]string `json:"ctx"`
	Action   string            `json:"action"`
}

// Export writes what verifiably helped, one incident a line in the order of time, as
// learning/replay reads it.
func Export(ctx context.Context, log learning.Log, shards int, out io.Writer) (int, error) {
	const page = 1000
	var lines []historyLine
	for shard := range shards {
		for after := int64(0); ; {
			facts, err := log.Facts(ctx, shard, after, page)
			if err != nil {
				return 0, fmt.Errorf("read facts of shard %d: %w", shard, err)
			}
			for i := range facts {
				if f := &facts[i]; f.Kind == incidents.FactOutcome && f.Value > 0 && f.Action != "" {
					lines = append(lines, historyOf(f))
				}
				after = facts[i].Seq
			}
			if len(facts) < page {
				break
			}
		}
	}
	slices.SortStableFunc(lines, func(a, b historyLine) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.ID, b.ID)) })
	w := bufio.NewWriter(out)
	enc := json.NewEncoder(w)
	for i := range lines {
		if err := enc.Encode(&lines[i]); err != nil {
			return 0, fmt.Errorf("write the history: %w", err)
		}
	}
	if err := w.Flush(); err != nil {
		return 0, fmt.Errorf("write the history: %w", err)
	}
	return len(lines), nil
}

// historyOf takes the approval for the opening: a fact does not know an earlier
// time.
func historyOf(f *incidents.Fact) historyLine {
	began := f.At.Add(-max(f.Took, 0)).Truncate(time.Second)
	line := historyLine{ID: f.Incident.String(), At: began.Unix(), Resolved: f.At.Unix(), Context: map[string]string{}, Action: f.Action}
	for i, feature := range learning.Features(f.Context, began) {
		name := feature.Field
		if _, twice := line.Context[name]; twice {
			name += "." + strconv.Itoa(i)
		}
		line.Context[name] = feature.Value
	}
	return line
}
