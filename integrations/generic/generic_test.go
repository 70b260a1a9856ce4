package generic

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/intake"
	"github.com/hikeshi-ops/hikeshi/integrations/intake/conformance"
)

const (
	one = `{"title":"Checkout answers 503","message":"half of all requests","service":"checkout","severity":"critical",` +
		`"status":"firing","labels":{"region":"eu"},"annotations":{"runbook":"restart-web"},` +
		`"starts_at":"2026-11-22T11:00:00Z","link":"https://grafana.example/d/1"}`
	keyed   = `{"title":"Disk of db1 is full","message":"97 %","service":"db","severity":"warning","dedup_key":"disk-db1","labels":{"host":"db1"}}`
	cleared = `{"dedup_key":"disk-db1","status":"resolved"}`
	several = `{"alerts":[` + one + `,` + keyed + `,` + cleared + `]}`
)

func decode(t testing.TB, body string) (*incidents.Batch, intake.Mended) {
	t.Helper()
	b, m, err := Decode([]byte(body), "conformance", conformance.Noon, intake.DefaultLimits())
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	conformance.Check(t, b, intake.DefaultLimits())
	return b, m
}

func TestGenericConforms(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"one": one, "keyed": keyed, "cleared": cleared, "several": several} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conformance.Run(t, Decode, []byte(body))
		})
	}
}

func FuzzDecode(f *testing.F) {
	conformance.Fuzz(f, Decode, []byte(one), []byte(keyed), []byte(cleared), []byte(several), []byte(`{"alerts":[]}`))
}

func TestAnAlertIsWhatItsFieldsSay(t *testing.T) {
	t.Parallel()
	b, m := decode(t, one)
	a := b.Alerts[0]
	if m != (intake.Mended{}) || a.Name() != "Checkout answers 503" || a.Service() != "checkout" || a.Severity() != incidents.Sev1 {
		t.Errorf("%s, %s, %s, mended %+v", a.Name(), a.Service(), a.Severity(), m)
	}
	if got := a.Labels.String(); got != `{alertname="Checkout answers 503", region="eu", service="checkout", severity="critical"}` {
		t.Errorf("labels %s", got)
	}
	if got := a.Annotations.String(); got != `{message="half of all requests", runbook="restart-web"}` {
		t.Errorf("annotations %s", got)
	}
	if a.Resolved || !a.StartsAt.Equal(conformance.Noon.Add(-time.Hour)) || !a.EndsAt.IsZero() || a.GeneratorURL != "https://grafana.example/d/1" {
		t.Errorf("%+v", a)
	}
}

func TestADedupKeyIsTheIdentity(t *testing.T) {
	t.Parallel()
	b, _ := decode(t, keyed)
	a := b.Alerts[0]
	if got := a.Labels.String(); got != `{alertname="Disk of db1 is full", dedup_key="disk-db1", host="db1", service="db", severity="warning", source="conformance"}` {
		t.Errorf("labels %s", got)
	}
	if got := a.Annotations.String(); got != `{message="97 %"}` {
		t.Errorf("annotations %s", got)
	}
	for name, body := range map[string]string{
		"other text":     strings.ReplaceAll(keyed, "97 %", "99 %"),
		"other title":    strings.ReplaceAll(keyed, "Disk of db1 is full", "db1: disk full"),
		"other severity": strings.ReplaceAll(keyed, "warning", "critical"),
		"other labels":   strings.ReplaceAll(keyed, `"host":"db1"`, `"host":"db1","dedup_key":"x","source":"y"`),
		"resolved":       cleared,
	} {
		if b, _ := decode(t, body); b.Alerts[0].Fingerprint() != a.Fingerprint() {
			t.Errorf("%s: another alert", name)
		}
	}
	if b, _ := decode(t, strings.ReplaceAll(keyed, "disk-db1", "disk-db2")); b.Alerts[0].Fingerprint() == a.Fingerprint() {
		t.Error("another key, the same alert")
	}
	other, _, err := Decode([]byte(keyed), "another", conformance.Noon, intake.DefaultLimits())
	if err != nil || other.Alerts[0].Fingerprint() == a.Fingerprint() {
		t.Errorf("another source, the same alert (%v)", err)
	}
	long := func(end string) incidents.Key {
		b, _ := decode(t, strings.ReplaceAll(keyed, "disk-db1", strings.Repeat("k", 5000)+end))
		return b.Alerts[0].Fingerprint()
	}
	if long("a") == long("b") {
		t.Error("long keys that differ at the end are one alert")
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	now := conformance.Noon
	for name, tt := range map[string]struct {
		fields   string
		resolved bool
		ends     time.Time
	}{
		"nothing":                   {``, false, time.Time{}},
		"firing":                    {`,"status":"firing"`, false, time.Time{}},
		"resolved":                  {`,"status":"resolved"`, true, now},
		"ended":                     {`,"ends_at":"2026-11-22T11:30:00Z"`, true, now.Add(-30 * time.Minute)},
		"will expire":               {`,"ends_at":"2026-11-22T12:30:00Z"`, false, now.Add(30 * time.Minute)},
		"firing, whatever it ended": {`,"status":"firing","ends_at":"2026-11-22T11:30:00Z"`, false, time.Time{}},
		"resolved a day ahead":      {`,"status":"resolved","ends_at":"2026-11-23T12:00:00Z"`, true, now},
	} {
		b, _ := decode(t, `{"title":"x","starts_at":"2026-11-22T11:00:00Z"`+tt.fields+`}`)
		if a := b.Alerts[0]; a.Resolved != tt.resolved || !a.EndsAt.Equal(tt.ends) {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestNothingSaidIsLost(t *testing.T) {
	t.Parallel()
	b, _ := decode(t, `{"title":"x","host":"db1","port":5432,"ratio":1.50,"replica":true,"owner":null,"deep":{"a":1},"sevrity":"critical"}`)
	if got := b.Alerts[0].Annotations.String(); got != `{host="db1", port="5432", ratio="1.50", replica="true", sevrity="critical"}` {
		t.Errorf("annotations %s", got)
	}
	b, _ = decode(t, `{"title":"x","service":"a","labels":{"service":"b","alertname":"c"}}`)
	if got := b.Alerts[0].Labels.String(); got != `{alertname="x", service="a"}` {
		t.Errorf("the fields do not win: %s", got)
	}
}

func TestSeveralAlerts(t *testing.T) {
	t.Parallel()
	b, _ := decode(t, several)
	if len(b.Alerts) != 3 || b.Alerts[1].Fingerprint() != b.Alerts[2].Fingerprint() || b.Alerts[0].Fingerprint() == b.Alerts[1].Fingerprint() || !b.Alerts[2].Resolved {
		t.Errorf("%+v", b.Alerts)
	}
	if got := b.Alerts[2].Annotations; len(got) != 0 {
		t.Errorf("the second alert's text is on the third: %v", got)
	}
	if b, _ := decode(t, `{"alerts":[]}`); len(b.Alerts) != 0 {
		t.Errorf("%+v", b)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ body, says string }{
		"nothing":          {`{}`, "no title"},
		"no title":         {`{"service":"x"}`, "no title"},
		"firing by key":    {`{"dedup_key":"x"}`, "no title"},
		"resolved, no key": {`{"status":"resolved"}`, "no title"},
		"odd status":       {`{"title":"x","status":"ok"}`, "neither firing nor resolved"},
		"capitals":         {`{"Title":"x"}`, `"title" only in case`},
		"both":             {`{"title":"x","alerts":[{"title":"y"}]}`, `beside "alerts"`},
		"both, later":      {`{"alerts":[{"title":"y"}],"service":"x"}`, `beside "alerts"`},
		"second is wrong":  {`{"alerts":[{"title":"y"},{"title":5}]}`, "alert 2: title must be a string"},
		"wrong link":       {`{"title":"x","link":["a"]}`, "link must be a string"},
		"duplicate":        {`{"title":"x","status":"firing","status":"resolved"}`, "twice"},
		"list":             {`[{"title":"x"}]`, "must be an object"},
		"unix time":        {`{"title":"x","starts_at":1766404800}`, "starts_at must be a string"},
	} {
		_, _, err := Decode([]byte(tt.body), "s", conformance.Noon, intake.DefaultLimits())
		if incidents.CodeOf(err) != incidents.Invalid || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: got %v, want %q", name, err, tt.says)
		}
	}
}

func TestManyFieldsStayWithinTheLimits(t *testing.T) {
	t.Parallel()
	var body strings.Builder
	body.WriteString(`{"title":"` + strings.Repeat("t", 9000) + `","dedup_key":"k","message":"` + strings.Repeat("m", 9000) + `"`)
	for i := range 10_000 {
		fmt.Fprintf(&body, `,"f%d":"v"`, i)
	}
	b, m := decode(t, body.String()+"}")
	if m.Cut != 2 || m.LeftOut == 0 || b.Alerts[0].Labels.Get("alertname") == "" {
		t.Errorf("mended %+v", m)
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, n := range []int{1, 10, 100} {
		body := []byte(`{"alerts":[` + strings.TrimSuffix(strings.Repeat(keyed+",", n), ",") + `]}`)
		b.Run(fmt.Sprintf("b%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := Decode(body, "bench", conformance.Noon, intake.DefaultLimits()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/alert")
		})
	}
}
