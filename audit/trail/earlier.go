package trail

import (
	"context"
	"time"

	"github.com/hikeshi-ops/hikeshi/audit"
)

// How many records are read at once on the way back, and how far two replicas' clocks
// may be apart.
const (
	backPage = 64
	skew     = 5 * time.Minute
)

// Repeats says whether the same was begun before: whether another intent of the same
// action and run stands between since and this one. What the store says of itself may
// have been changed by somebody; the chain cannot be without its key.
func (i *Intent) Repeats(ctx context.Context, since time.Time) (bool, error) {
	void := map[int64]bool{} // intents of which nobody knew that they stood, so that nothing was done
	for end := i.seq; end > 1; {
		from := max(0, end-1-backPage)
		list, err := i.log.Store.AuditEntries(ctx, from, int(end-from))
		if err != nil {
			return false, err
		}
		if len(list) != int(end-from) {
			return false, i.log.breakBy(&audit.Problem{Seq: from + 1, What: audit.Missing, To: end})
		}
		if _, err := i.log.Keys.Follow(audit.Head{Seq: list[0].Seq, MAC: list[0].MAC}, list[1:]); err != nil {
			return false, i.log.breakBy(err)
		}
		for n := len(list) - 1; n >= 0; n-- {
			r, err := audit.Decode(list[n].Body)
			switch {
			case err != nil || r.Seq >= i.seq:
				continue
			case r.At.Before(since.Add(-skew)):
				return false, nil
			case r.Action != i.rec.Action || r.Run != i.rec.Run:
			case r.Kind == audit.Outcome && r.Error == "error.audit_away":
				void[r.Of] = true
			case r.Kind == audit.Intent && !void[r.Seq]:
				return true, nil
			}
		}
		end = list[0].Seq
	}
	return false, nil
}
