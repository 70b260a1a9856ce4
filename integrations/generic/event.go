package generic

import (
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/intake"
)

// The names of an alert's fields, for keys that differ only in capitals.
var fields = []string{
	"alerts", "title", "message", "service", "severity", "status", "dedup_key",
	"labels", "annotations", "starts_at", "ends_at", "link",
}

// event is one alert as it was sent.
type event struct {
	given bool // at least one of our fields was there

	title, message, service, severity string
	status, key, link                 string
	startsAt, endsAt                  time.Time
	labels, annotations               []incidents.Label
}

func (e *event) reset() {
	*e = event{labels: e.labels[:0], annotations: e.annotations[:0]}
}

// decoder reads events one after the other into the same room.
type decoder struct {
	*intake.Reader
	source string
	now    time.Time
	ev     event
	pairs  []incidents.Label
}

// post reads the body into b, or into ev where it is a single alert.
func (d *decoder) post(b *incidents.Batch) (several bool, err error) {
	err = d.Object("the body", func(key string) error {
		if key != "alerts" {
			return d.field(key)
		}
		several = true
		outer := d.ev
		d.ev = event{}
		defer func() { d.ev = outer }()
		return d.Alerts(key, func() error {
			d.ev.reset()
			if err := d.Object("an alert", d.field); err != nil {
				return err
			}
			return d.finish(b)
		})
	})
	return several, err
}

// field reads the value of one key of an alert. A key that is none of ours and
// has a simple value becomes an annotation, so that nothing said is lost.
func (d *decoder) field(key string) (err error) {
	e := &d.ev
	given := true
	switch key {
	case "title":
		e.title, err = d.Identity(key)
	case "message":
		e.message, err = d.Text(key)
	case "service":
		e.service, err = d.Identity(key)
	case "severity":
		e.severity, err = d.Identity(key)
	case "status":
		e.status, err = d.Text(key)
	case "dedup_key":
		e.key, err = d.Identity(key)
	case "link":
		e.link, err = d.Link(key)
	case "starts_at":
		e.startsAt, err = d.Time(key)
	case "ends_at":
		e.endsAt, err = d.Time(key)
	case "labels":
		e.labels, err = d.Pairs(key, e.labels, true)
	case "annotations":
		e.annotations, err = d.Pairs(key, e.annotations, false)
	default:
		given, err = false, d.unknown(key)
	}
	e.given = e.given || given
	return err
}

func (d *decoder) unknown(key string) error {
	switch d.Kind() {
	case '"', '0', 't', 'f':
	default:
		return d.SkipUnknown(key, fields)
	}
	if err := d.CheckCase(key, fields); err != nil {
		return err
	}
	name := d.Name(key)
	value, err := d.Scalar(key)
	if err == nil && value != "" {
		d.ev.annotations = append(d.ev.annotations, incidents.Label{Name: name, Value: value})
	}
	return err
}

// finish turns the event just read into an alert of b.
func (d *decoder) finish(b *incidents.Batch) error {
	e := &d.ev
	a := incidents.Alert{StartsAt: e.startsAt, EndsAt: e.endsAt, GeneratorURL: e.link}
	switch e.status {
	case "resolved":
		a.Resolved = true
	case "firing":
	case "":
		a.Resolved = !e.endsAt.IsZero() && !e.endsAt.After(d.now)
	default:
		return d.Invalid("the status is neither firing nor resolved", `write "status":"firing", or leave it out`)
	}
	if !a.Resolved && !a.EndsAt.After(d.now) {
		a.EndsAt = time.Time{} // it fires, whatever its end says
	}
	if strings.TrimSpace(e.title) == "" && (e.key == "" || !a.Resolved) {
		return d.Invalid("the alert has no title", `add "title":"…"; only a resolved alert with a dedup_key needs none`)
	}
	if e.key != "" {
		d.byKey(&a)
	} else {
		d.byLabels(&a)
	}
	b.Alerts = append(b.Alerts, a)
	return nil
}

// byKey marks the alert with the sender's key: it and the source are the whole
// identity (incidents.DedupLabel); all else may change from one post to the next.
func (d *decoder) byKey(a *incidents.Alert) {
	e := &d.ev
	a.Labels = d.Pack(d.collect(e.labels, "alertname", e.title, "service", e.service, "severity", e.severity,
		incidents.DedupLabel, e.key, "source", d.source), true)
	a.Annotations = d.Pack(d.collect(e.annotations, "message", e.message), false)
}

// byLabels makes what names the alert its identity.
func (d *decoder) byLabels(a *incidents.Alert) {
	e := &d.ev
	a.Labels = d.Pack(d.collect(e.labels, "alertname", e.title, "service", e.service, "severity", e.severity), true)
	a.Annotations = d.Pack(d.collect(e.annotations, "message", e.message), false)
}

// collect copies pairs to scratch, and after them those of more that are set,
// so that the fields win over labels of the same name.
func (d *decoder) collect(pairs []incidents.Label, more ...string) []incidents.Label {
	d.pairs = append(d.pairs[:0], pairs...)
	for i := 0; i+1 < len(more); i += 2 {
		if more[i+1] != "" {
			d.pairs = append(d.pairs, incidents.Label{Name: more[i], Value: more[i+1]})
		}
	}
	return d.pairs
}
