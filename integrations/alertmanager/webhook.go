package alertmanager

import (
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/intake"
)

// webhookVersion is the only version of the webhook's payload there is.
const webhookVersion = "4"

// DecodeWebhook reads the body of an Alertmanager webhook, version 4. Each
// alert says itself whether it fires, so the sender's clock may be off.
func DecodeWebhook(body []byte, source string, now time.Time, limits intake.Limits) (*incidents.Batch, intake.Mended, error) {
	r := intake.NewReader(body, limits)
	b := &incidents.Batch{Source: source, ReceivedAt: now}
	version, hasAlerts := "", false
	err := r.Object("the body", func(key string) (err error) {
		switch key {
		case "version":
			version, err = r.Text(key)
		case "groupKey":
			b.GroupKey, err = r.Identity(key)
		case "truncatedAlerts":
			b.Truncated, err = r.Count(key)
		case "alerts":
			hasAlerts = true
			err = r.Alerts(key, func() error {
				a, err := readAlert(r, now, true)
				b.Alerts = append(b.Alerts, a)
				return err
			})
		default:
			err = r.SkipUnknown(key, webhookKeys)
		}
		return err
	})
	if err == nil {
		err = r.End()
	}
	if err == nil && version != webhookVersion {
		err = r.Invalid(`this is not an Alertmanager webhook of version "4"`,
			"Prometheus posts to /api/v2/alerts; Grafana can too, by a contact point of type Alertmanager; all others use /v1/alerts/generic")
	}
	if err == nil && !hasAlerts {
		err = r.Invalid(`the webhook has no "alerts"`, "post what Alertmanager posts, unchanged")
	}
	if err != nil {
		return nil, intake.Mended{}, err
	}
	return r.Finish(b), r.Mended, nil
}

var webhookKeys = []string{"version", "groupKey", "truncatedAlerts", "alerts"}
