package alertmanager

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/intake"
	"github.com/hikeshi-ops/hikeshi/integrations/intake/conformance"
)

func TestAPIConforms(t *testing.T) {
	t.Parallel()
	conformance.Run(t, DecodeAPI, example(t, "api-firing-prometheus-2.42.json"))
	conformance.Run(t, DecodeAPI, example(t, "api-resolved-prometheus-2.42.json"))
}

func FuzzDecodeAPI(f *testing.F) {
	conformance.Fuzz(f, DecodeAPI, example(f, "api-firing-prometheus-2.42.json"), example(f, "api-resolved-prometheus-2.42.json"))
}

func TestRealPrometheusPosts(t *testing.T) {
	t.Parallel()
	limits := intake.DefaultLimits()
	b, m, err := DecodeAPI(example(t, "api-firing-prometheus-2.42.json"), "prometheus", at("2026-11-22T08:14:24.2Z"), limits)
	if err != nil || m != (intake.Mended{}) || len(b.Alerts) != 1 {
		t.Fatalf("%v %+v", err, m)
	}
	a := b.Alerts[0]
	if a.Resolved || a.Fingerprint() != checkout.Key() || !a.EndsAt.Equal(at("2026-11-22T08:18:24.189Z")) || b.GroupKey != "" {
		t.Errorf("firing: %+v", a)
	}
	if a.Name() != "CheckoutErrors" || a.Service() != "checkout" || a.Severity() != incidents.Sev1 {
		t.Errorf("firing: %s %s %s", a.Name(), a.Service(), a.Severity())
	}
	b, _, err = DecodeAPI(example(t, "api-resolved-prometheus-2.42.json"), "prometheus", at("2026-11-22T08:14:32.2Z"), limits)
	if err != nil {
		t.Fatal(err)
	}
	a = b.Alerts[0]
	if !a.Resolved || a.Fingerprint() != checkout.Key() || !a.EndsAt.Equal(at("2026-11-22T08:14:32.189Z")) {
		t.Errorf("resolved: %+v", a)
	}
}

func TestTheEndDecidesWhetherAnAlertFires(t *testing.T) {
	t.Parallel()
	now := conformance.Noon
	for name, tt := range map[string]struct {
		ends     string
		resolved bool
		want     time.Time
	}{
		"none":          {``, false, time.Time{}},
		"null":          {`,"endsAt":null`, false, time.Time{}},
		"zero":          {`,"endsAt":"0001-01-01T00:00:00Z"`, false, time.Time{}},
		"now":           {`,"endsAt":"2026-11-22T12:00:00Z"`, true, now},
		"a moment ago":  {`,"endsAt":"2026-11-22T11:59:59.999999999Z"`, true, now.Add(-1)},
		"in a moment":   {`,"endsAt":"2026-11-22T12:00:00.000000001Z"`, false, now.Add(1)},
		"in 4 minutes":  {`,"endsAt":"2026-11-22T21:04:00+09:00"`, false, now.Add(4 * time.Minute)},
		"for ever":      {`,"endsAt":"9999-12-31T23:59:59Z"`, false, time.Time{}},
		"status object": {`,"status":{"state":"active"}`, false, time.Time{}}, // as GET /api/v2/alerts answers
	} {
		body := `[{"labels":{"alertname":"x"}` + tt.ends + `}]`
		b, m, err := DecodeAPI([]byte(body), "conformance", now, intake.DefaultLimits())
		if err != nil || m != (intake.Mended{}) {
			t.Errorf("%s: %v %+v", name, err, m)
			continue
		}
		conformance.Check(t, b, intake.DefaultLimits())
		if a := b.Alerts[0]; a.Resolved != tt.resolved || !a.EndsAt.Equal(tt.want) {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestLabelsAreTheIdentityWhicheverWayTheyCome(t *testing.T) {
	t.Parallel()
	limits := intake.DefaultLimits()
	api, _, err := DecodeAPI([]byte(`[{"labels":{"service":"checkout","alertname":"x","gone":""},"annotations":{"summary":"now"}}]`), "p", conformance.Noon, limits)
	if err != nil {
		t.Fatal(err)
	}
	hook, _, err := DecodeWebhook([]byte(`{"version":"4","alerts":[{"status":"firing","annotations":{"summary":"then"},"labels":{"alertname":"x","service":"checkout"}}]}`), "a", conformance.Noon, limits)
	if err != nil {
		t.Fatal(err)
	}
	if api.Alerts[0].Fingerprint() != hook.Alerts[0].Fingerprint() {
		t.Errorf("%v and %v are two alerts", api.Alerts[0].Labels, hook.Alerts[0].Labels)
	}
}

func TestAPIRefuses(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"no labels":      `[{"labels":{}}]`,
		"empty label":    `[{"labels":{"a":""}}]`,
		"labels missing": `[{}]`,
		"an object":      `{"labels":{"a":"b"}}`,
		"bad time":       `[{"labels":{"a":"b"},"startsAt":"soon"}]`,
	} {
		if _, _, err := DecodeAPI([]byte(body), "p", conformance.Noon, intake.DefaultLimits()); incidents.CodeOf(err) != incidents.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	many := "[" + strings.Repeat(`{"labels":{"a":"b"}},`, 1000) + `{"labels":{"a":"b"}}]`
	if _, _, err := DecodeAPI([]byte(many), "p", conformance.Noon, intake.DefaultLimits()); incidents.CodeOf(err) != incidents.TooLarge {
		t.Errorf("1001 alerts: %v", err)
	}
	exactly := strings.Replace(many, `{"labels":{"a":"b"}},`, "", 1)
	if b, _, err := DecodeAPI([]byte(exactly), "p", conformance.Noon, intake.DefaultLimits()); err != nil || len(b.Alerts) != 1000 {
		t.Errorf("1000 alerts: %v", err)
	}
}

func TestAnAlertWith10000Labels(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(`[{"labels":{"alertname":"x"`)
	for i := range 10_000 {
		fmt.Fprintf(&b, `,"l%d":"v"`, i)
	}
	b.WriteString(`}},{"labels":{"alertname":"good"}}]`)
	batch, m, err := DecodeAPI([]byte(b.String()), "conformance", conformance.Noon, intake.DefaultLimits())
	if err != nil || len(batch.Alerts) != 2 || m.LeftOut != 10_001-63 {
		t.Fatalf("%v %+v", err, m)
	}
	conformance.Check(t, batch, intake.DefaultLimits())
	if batch.Alerts[0].Name() != "x" {
		t.Errorf("it is called %q", batch.Alerts[0].Name())
	}
}
