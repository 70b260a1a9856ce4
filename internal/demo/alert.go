package demo

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"time"
)

// The names of the alerts. The watcher and the rules for Prometheus use the same.
const (
	AlertCheckoutDown = "ShopCheckoutDown"
	AlertCacheFull    = "ShopCacheFull"
	AlertSlow         = "ShopSlow"
)

// An alertKind is one thing that can be wrong with the shop.
type alertKind struct {
	name, severity string
	summary        string
	// bad says whether the shop is in this trouble; known is false when the
	// shop's answer does not tell. answered is false when there was no answer.
	bad func(h Health, answered bool) (bad, known bool)
}

var alertKinds = []alertKind{
	{
		AlertCheckoutDown, "critical", "Customers of the shop cannot check out",
		func(h Health, answered bool) (bool, bool) { return !answered || h.Wedged, true },
	},
	{
		AlertCacheFull, "critical", "The shop's cache is full and checkouts fail",
		func(h Health, answered bool) (bool, bool) { return h.CacheFull, answered },
	},
	{
		AlertSlow, "warning", "The shop is slow",
		func(h Health, answered bool) (bool, bool) { return h.Slow, answered && !h.Wedged },
	},
}

// webhook is what Alertmanager posts to a webhook receiver, version 4
// (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config).
type webhook struct {
	Version           string            `json:"version"`
	GroupKey          string            `json:"groupKey"`
	TruncatedAlerts   int               `json:"truncatedAlerts"`
	Status            string            `json:"status"`
	Receiver          string            `json:"receiver"`
	GroupLabels       map[string]string `json:"groupLabels"`
	CommonLabels      map[string]string `json:"commonLabels"`
	CommonAnnotations map[string]string `json:"commonAnnotations"`
	ExternalURL       string            `json:"externalURL"`
	Alerts            []webhookAlert    `json:"alerts"`
}

type webhookAlert struct {
	Status       string            `json:"status"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"` // the zero time while firing, as Alertmanager has it
	GeneratorURL string            `json:"generatorURL"`
	Fingerprint  string            `json:"fingerprint"`
}

const (
	statusFiring   = "firing"
	statusResolved = "resolved"
)

// An episode is one time that an alert fires, from its beginning to its end.
type episode struct {
	kind        alertKind
	instance    string // host:port of the shop
	description string
	startsAt    time.Time
	endsAt      time.Time // zero while it fires
}

func (e episode) status() string {
	if e.endsAt.IsZero() {
		return statusFiring
	}
	return statusResolved
}

// webhook forms the message about the episode. Alerts are grouped by alertname
// and service, one alert to a group.
func (e episode) webhook() webhook {
	labels := map[string]string{
		"alertname": e.kind.name, "service": "shop", "severity": e.kind.severity,
		"instance": e.instance, "job": "shop",
	}
	annotations := map[string]string{"summary": e.kind.summary, "description": e.description}
	group := map[string]string{"alertname": e.kind.name, "service": "shop"}
	return webhook{
		Version: "4", Status: e.status(), Receiver: "hikeshi", ExternalURL: "http://" + e.instance,
		GroupKey:    fmt.Sprintf(`{}:{alertname=%q, service="shop"}`, e.kind.name),
		GroupLabels: group, CommonLabels: labels, CommonAnnotations: annotations,
		Alerts: []webhookAlert{{
			Status: e.status(), Labels: labels, Annotations: annotations,
			StartsAt: e.startsAt, EndsAt: e.endsAt,
			GeneratorURL: "http://" + e.instance + "/healthz", Fingerprint: fingerprint(labels),
		}},
	}
}

// fingerprint is Alertmanager's: FNV-1a, 64 bits, over the sorted labels, each
// name and value followed by the byte 255
// (https://github.com/prometheus/common/blob/main/model/fnv.go and signature.go).
func fingerprint(labels map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		b.WriteString(name + "\xff" + labels[name] + "\xff")
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(b.String())) // a hash never fails
	return fmt.Sprintf("%016x", h.Sum64())
}
