package alertmanager

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/intake"
	"github.com/hikeshi-ops/hikeshi/integrations/intake/conformance"
)

// The files of testdata were posted by Debian's Alertmanager 0.25 and
// Prometheus 2.42; only host names were changed. webhook-newer-fields adds
// what Alertmanager added in 2026.
func example(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return t
}

var checkout = incidents.LabelsFromMap(map[string]string{
	"alertname": "CheckoutErrors", "cluster": "eu-1", "service": "checkout", "severity": "critical", "team": "火消し",
})

func TestWebhookConforms(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"webhook-firing-0.25.json", "webhook-resolved-0.25.json", "webhook-newer-fields.json", "webhook-truncated-nul-0.25.json"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conformance.Run(t, DecodeWebhook, example(t, name))
		})
	}
}

func FuzzDecodeWebhook(f *testing.F) {
	conformance.Fuzz(f, DecodeWebhook, example(f, "webhook-firing-0.25.json"), example(f, "webhook-resolved-0.25.json"),
		example(f, "webhook-newer-fields.json"), example(f, "webhook-truncated-nul-0.25.json"))
}

func TestRealWebhooks(t *testing.T) {
	t.Parallel()
	now := at("2026-11-22T08:15:00Z")
	decode := func(name string) (*incidents.Batch, intake.Mended) {
		b, m, err := DecodeWebhook(example(t, name), "am", now, intake.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		return b, m
	}

	b, m := decode("webhook-firing-0.25.json")
	want := &incidents.Batch{
		Source: "am", ReceivedAt: now, GroupKey: `{}:{alertname="CheckoutErrors"}`,
		Alerts: []incidents.Alert{{
			Labels: checkout,
			Annotations: incidents.LabelsFromMap(map[string]string{
				"description": " is at 0.18899989128112793", "runbook_url": "https://example.org/runbooks/checkout?a=b&c=d",
				"summary": "checkout answers <b>503</b> & waits",
			}),
			StartsAt:     at("2026-11-22T08:14:24.189Z"),
			GeneratorURL: b.Alerts[0].GeneratorURL,
		}},
	}
	if !reflect.DeepEqual(b, want) || m != (intake.Mended{}) || !strings.HasSuffix(b.Alerts[0].GeneratorURL, "&g0.tab=1") {
		t.Errorf("firing: got %+v, mended %+v", b, m)
	}

	newer, _ := decode("webhook-newer-fields.json")
	if !reflect.DeepEqual(newer, want) {
		t.Errorf("newer: got %+v", newer)
	}

	b, _ = decode("webhook-resolved-0.25.json")
	a := b.Alerts[0]
	if !a.Resolved || !a.StartsAt.Equal(at("2026-11-22T08:14:24.189Z")) || !a.EndsAt.Equal(at("2026-11-22T08:14:32.189Z")) || a.Fingerprint() != checkout.Key() {
		t.Errorf("resolved: got %+v", a)
	}

	b, m = decode("webhook-truncated-nul-0.25.json")
	if b.Truncated != 2 || len(b.Alerts) != 3 || m != (intake.Mended{Text: 3}) {
		t.Errorf("truncated: %+v, mended %+v", b, m)
	}
	if s := b.Alerts[2].Annotations.Get("summary"); s != "disk \ufffd nearly full\nsecond line" {
		t.Errorf("summary %q", s)
	}
}

func TestWebhooksThatAreNone(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ body, says string }{
		"version 3":           {`{"version":"3","alerts":[]}`, `version "4"`},
		"Grafana's own":       {`{"version":"1","orgId":1,"alerts":[]}`, `version "4"`},
		"no version":          {`{"alerts":[]}`, `version "4"`},
		"no alerts":           {`{"version":"4"}`, `no "alerts"`},
		"odd status":          {`{"version":"4","alerts":[{"status":"suppressed","labels":{"a":"b"}}]}`, "alert 1: the status"},
		"no status":           {`{"version":"4","alerts":[{"labels":{"a":"b"}}]}`, "alert 1: the status"},
		"two statuses":        {`{"version":"4","alerts":[{"status":"firing","status":"resolved"}]}`, "twice"},
		"capital status":      {`{"version":"4","alerts":[{"status":"firing","STATUS":"resolved"}]}`, "case"},
		"capital alerts":      {`{"version":"4","alerts":[],"Alerts":[]}`, "case"},
		"numbers in labels":   {`{"version":"4","alerts":[{"status":"firing","labels":{"code":500}}]}`, "a value of labels"},
		"alerts as an object": {`{"version":"4","alerts":{}}`, "alerts must be an array"},
		"a list":              {`[]`, "the body must be an object"},
	} {
		_, _, err := DecodeWebhook([]byte(tt.body), "am", conformance.Noon, intake.DefaultLimits())
		if incidents.CodeOf(err) != incidents.Invalid || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: got %v, want %q", name, err, tt.says)
		}
	}
	for name, body := range map[string]string{
		"empty": `{"version":"4","alerts":[]}`, "null": `{"version":"4","alerts":null}`,
	} {
		if b, _, err := DecodeWebhook([]byte(body), "am", conformance.Noon, intake.DefaultLimits()); err != nil || len(b.Alerts) != 0 {
			t.Errorf("%s: %v %v", name, b, err)
		}
	}
}

// The webhook says firing or resolved itself, so a sender whose clock is a day
// ahead or behind is understood.
func TestWebhookWithClocksADayOff(t *testing.T) {
	t.Parallel()
	now := conformance.Noon
	for name, tt := range map[string]struct {
		status, starts, ends string
		resolved             bool
		wantStart, wantEnd   time.Time
	}{
		"ahead, firing":    {"firing", "2026-11-23T11:00:00Z", "0001-01-01T00:00:00Z", false, now, time.Time{}},
		"ahead, resolved":  {"resolved", "2026-11-23T10:00:00Z", "2026-11-23T11:00:00Z", true, now, now},
		"behind, firing":   {"firing", "2026-11-21T11:00:00Z", "2026-11-21T11:04:00Z", false, at("2026-11-21T11:00:00Z"), time.Time{}},
		"behind, resolved": {"resolved", "2026-11-21T11:00:00Z", "2026-11-21T11:04:00Z", true, at("2026-11-21T11:00:00Z"), at("2026-11-21T11:04:00Z")},
		"ends first":       {"resolved", "2026-11-22T11:00:00Z", "2026-11-22T10:00:00Z", true, at("2026-11-22T11:00:00Z"), at("2026-11-22T11:00:00Z")},
		"no end":           {"resolved", "2026-11-22T11:00:00Z", "0001-01-01T00:00:00Z", true, at("2026-11-22T11:00:00Z"), now},
	} {
		body := `{"version":"4","alerts":[{"status":"` + tt.status + `","labels":{"a":"b"},"startsAt":"` + tt.starts + `","endsAt":"` + tt.ends + `"}]}`
		b, _, err := DecodeWebhook([]byte(body), "conformance", now, intake.DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		conformance.Check(t, b, intake.DefaultLimits())
		if a := b.Alerts[0]; a.Resolved != tt.resolved || !a.StartsAt.Equal(tt.wantStart) || !a.EndsAt.Equal(tt.wantEnd) {
			t.Errorf("%s: got %+v", name, a)
		}
	}
}

func TestALongGroupKeyStaysDistinct(t *testing.T) {
	t.Parallel()
	key := func(end string) string {
		body := `{"version":"4","alerts":[],"groupKey":"` + strings.Repeat("x", 5000) + end + `"}`
		b, m, err := DecodeWebhook([]byte(body), "am", conformance.Noon, intake.DefaultLimits())
		if err != nil || m.Cut != 1 {
			t.Fatalf("%v %+v", err, m)
		}
		return b.GroupKey
	}
	a, again, b := key("a"), key("a"), key("b")
	if a == b || a != again || len(a) > 4096 {
		t.Error("two groups share a key, or one has two")
	}
}
