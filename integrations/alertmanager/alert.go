package alertmanager

import (
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/intake"
)

// readAlert reads one alert of either format; they differ in the status, which
// only the webhook's have.
func readAlert(r *intake.Reader, now time.Time, withStatus bool) (incidents.Alert, error) {
	var a incidents.Alert
	status := ""
	err := r.Object("an alert", func(key string) (err error) {
		switch key {
		case "labels":
			a.Labels, err = r.Labels()
		case "annotations":
			a.Annotations, err = r.Annotations()
		case "startsAt":
			a.StartsAt, err = r.Time(key)
		case "endsAt":
			a.EndsAt, err = r.Time(key)
		case "generatorURL":
			a.GeneratorURL, err = r.Link(key)
		case "status":
			if withStatus {
				status, err = r.Text(key)
			} else {
				err = r.Skip() // what GET /api/v2/alerts answers has one, an object
			}
		case "fingerprint":
			err = r.Skip() // ours is of all labels, and wider
		default:
			err = r.SkipUnknown(key, alertKeys)
		}
		return err
	})
	if err != nil {
		return a, err
	}
	switch {
	case status == "resolved":
		a.Resolved = true
	case status == "firing":
	case status != "" || withStatus:
		return a, r.Invalid("the status of an alert is neither firing nor resolved", "")
	default:
		a.Resolved = !a.EndsAt.IsZero() && !a.EndsAt.After(now)
	}
	if !a.Resolved && !a.EndsAt.After(now) {
		a.EndsAt = time.Time{} // it fires, whatever its end says
	}
	if a.Resolved && a.StartsAt.IsZero() {
		a.StartsAt = a.EndsAt // Alertmanager's rule; otherwise it starts now
	}
	return a, nil
}

var alertKeys = []string{"labels", "annotations", "startsAt", "endsAt", "generatorURL", "status"}
