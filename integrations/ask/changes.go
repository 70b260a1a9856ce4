package ask

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

const lookBack = 6 * time.Hour // a change may have been at work for so long

// Page is how many changes of a kind are asked for.
const Page = 50

// Kind lists the changes of one kind between two times, Page at most.
type Kind func(ctx context.Context, from, to time.Time) ([]diagnostics.Change, error)

// Changes asks for all kinds of changes of a service at the same time.
func Changes(ctx context.Context, q diagnostics.Question, service string, kinds ...Kind) (diagnostics.Answer, error) {
	from, to := q.Alert.Add(-lookBack), q.To
	return Each(len(kinds), func(i int) (diagnostics.Answer, error) {
		all, err := kinds[i](ctx, from, to)
		full := len(all) >= Page
		all = slices.DeleteFunc(all, func(c diagnostics.Change) bool { return c.At.Before(from) || c.At.After(to) })
		for i := range all {
			all[i].Service, all[i].At = service, all[i].At.UTC()
		}
		answer := diagnostics.Answer{Changes: all}
		if full && len(all) >= Page { // else what is missing is of another time
			answer.Clues = append(answer.Clues, only(Page))
		}
		return answer, err
	})
}

// only says that there was more than was looked at, but not how much.
func only(n int) incidents.Clue {
	return incidents.Clue{Kind: incidents.ClueMissing, Says: incidents.Because("clue.missing.only", "n", strconv.Itoa(n))}
}
