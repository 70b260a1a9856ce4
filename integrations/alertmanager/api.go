package alertmanager

import (
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/intake"
)

// DecodeAPI reads the body of POST /api/v2/alerts: an array of alerts. One
// whose endsAt is not after now is resolved; a later endsAt is when it expires
// unless it is sent again, as Prometheus does. One without endsAt fires until
// it is resolved: Alertmanager would forget it after its resolve_timeout of
// five minutes, which an incident should not.
//
// Nothing else tells firing from resolved here, so the clocks of the sender
// and of this machine must agree to within Prometheus' four minutes of grace
// (four times --rules.alert.resend-delay). The webhook has no such need.
func DecodeAPI(body []byte, source string, now time.Time, limits intake.Limits) (*incidents.Batch, intake.Mended, error) {
	r := intake.NewReader(body, limits)
	b := &incidents.Batch{Source: source, ReceivedAt: now}
	err := r.Alerts("the body", func() error {
		a, err := readAlert(r, now, false)
		if err == nil && len(a.Labels) == 0 {
			err = r.Invalid("an alert needs at least one label", `add "labels":{"alertname":"…"}`)
		}
		b.Alerts = append(b.Alerts, a)
		return err
	})
	if err == nil {
		err = r.End()
	}
	if err != nil {
		return nil, intake.Mended{}, err
	}
	return r.Finish(b), r.Mended, nil
}
