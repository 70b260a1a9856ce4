package find

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

var errCursor = errors.New("this is no cursor")

// place is where reports stand: an event of an incident, or an entry of an
// intake log.
type place struct {
	incident incidents.ID
	log      int
	at       int64
}

// maxEntries is how many entries of the intake log one answer may need. Each
// holds up to thousands of alerts, of which it wants one.
const maxEntries = 8

// detail reads what the index does not keep of the alerts that are answered.
// Where that takes too many entries of the intake log, and for what the intake
// log no longer has, it is left out, and the alert says so.
func (f *Finder) detail(ctx context.Context, alerts []Alert) error {
	together, entries := map[place][]*Alert{}, 0
	for i := range alerts {
		a := &alerts[i]
		p := place{log: a.log, at: a.where}
		if a.log == noLog {
			p.incident = a.Incident
		}
		if together[p] == nil && a.log != noLog {
			entries++
		}
		together[p] = append(together[p], a)
		a.Partial = true
	}
	for p, some := range together {
		if p.log != noLog && entries > maxEntries {
			continue
		}
		if err := f.open(ctx, p, func(whole *incidents.Alert) {
			for _, a := range some {
				if a.Partial && slices.Equal(a.Labels, whole.Labels) {
					a.Partial, a.Annotations, a.GeneratorURL = false, whole.Annotations, whole.GeneratorURL
				}
			}
		}); err != nil {
			return err
		}
	}
	return nil
}

// open shows the alerts that stand at a place.
func (f *Finder) open(ctx context.Context, p place, show func(*incidents.Alert)) error {
	if p.log == noLog {
		events, err := f.incidents.Events(ctx, p.incident, p.at-1, 1)
		if err != nil {
			return fmt.Errorf("read event %d of %s: %w", p.at, p.incident, err)
		}
		for i := range events {
			if news := events[i].Alerts; news != nil {
				for j := range news.New {
					show(&news.New[j])
				}
			}
		}
		return nil
	}
	entries, err := f.log.ReadLog(ctx, p.log, p.at-1, 1)
	if err != nil {
		return fmt.Errorf("read entry %d of log %d: %w", p.at, p.log, err)
	}
	if len(entries) == 0 || entries[0].Offset != p.at {
		return nil
	}
	for _, b := range entries[0].Batches {
		for i := range b.Alerts {
			show(&b.Alerts[i])
		}
	}
	return nil
}
