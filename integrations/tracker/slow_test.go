package tracker_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
)

// slow is a tracker that needs three seconds for a comment, and forgets which it has.
type slow struct {
	*desk
	wrote map[string]int
}

func (w *slow) Comment(ctx context.Context, _ string, c bot.TicketComment) error {
	w.wrote[c.Key]++
	select {
	case <-time.After(3 * time.Second):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A tracker that is slower than an effect may take gets each comment once all the
// same, a few at a time.
func TestASlowTrackerGetsEachCommentOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		to := &slow{desk: d, wrote: map[string]int{}}
		d.syncer.Tracker = to
		for n := range 15 {
			d.do(incidents.Note{By: bea, Text: "note " + strconv.Itoa(n)})
		}
		tries := 0
		for err := errors.New("not yet"); err != nil && tries < 10; tries++ {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			var ticket incidents.Ticket
			ticket, err = d.syncer.Sync(ctx, d.s, d.log)
			cancel()
			if later, ok := errors.AsType[*incidents.Later](err); err != nil && (!ok || !later.Alone) {
				t.Error("a slow tracker is no failing one:", err)
			}
			d.do(incidents.TicketSynced{Tracker: "jira", Ticket: ticket})
		}
		if tries == 10 || len(to.wrote) != 15 {
			t.Errorf("%d comments after %d tries", len(to.wrote), tries)
		}
		for key, n := range to.wrote {
			if n != 1 {
				t.Errorf("%s was written %d times", key, n)
			}
		}
	})
}

var _ tracker.Tracker = (*slow)(nil)
