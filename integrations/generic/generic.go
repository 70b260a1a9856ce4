// Package generic understands Hikeshi's own JSON, for everything that has no
// format of its own: scripts, cron jobs, home-made checks. docs/api-intake.md
// documents it, with examples.
//
// It promises that an alert with a dedup_key is that alert whatever its text
// or its labels say: the key and the source are its identity. Without a key the
// title, the service, the severity and the labels together are.
//
// Start with Decode.
package generic

import (
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/intake"
)

// Decode reads one alert, or {"alerts":[…]} with several.
func Decode(body []byte, source string, now time.Time, limits intake.Limits) (*incidents.Batch, intake.Mended, error) {
	r := intake.NewReader(body, limits)
	b := &incidents.Batch{Source: source, ReceivedAt: now}
	d := decoder{Reader: r, source: source, now: now}
	several, err := d.post(b)
	if err == nil {
		err = r.End()
	}
	if err == nil && several && d.ev.given {
		err = r.Invalid(`an alert stands beside "alerts"`, `put every alert into "alerts", or send one without it`)
	}
	if err == nil && !several {
		err = d.finish(b)
	}
	if err != nil {
		return nil, intake.Mended{}, err
	}
	return r.Finish(b), r.Mended, nil
}
