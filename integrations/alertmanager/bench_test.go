package alertmanager

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/integrations/intake"
)

// alertBytes is the size of an alert in the load of reference measurements:
// 10 labels and 3 annotations.
const alertBytes = 814

func loadAlert(i int) string {
	a := fmt.Sprintf(`{"labels":{"alertname":"HighErrorRate","cluster":"eu-west-1","env":"production","instance":"10.20.%d.%d:8080",`+
		`"job":"checkout-api","namespace":"shop","pod":"checkout-api-7d9f8b6c5-%05d","service":"checkout","severity":"critical","team":"payments"},`+
		`"annotations":{"description":"The error rate of checkout-api is above 5 %% for more than five minutes: %s","runbook_url":"https://runbooks.example.com/checkout/high-error-rate",`+
		`"summary":"checkout-api answers with errors"},"startsAt":"2026-11-22T08:13:38.446Z","endsAt":"2026-11-22T09:17:38.446Z",`+
		`"generatorURL":"http://prometheus.example:9090/graph?g0.expr=rate&g0.tab=1"}`, i/250%250, i%250, i%100000, "~")
	return strings.Replace(a, "~", strings.Repeat("x", alertBytes-len(a)+1), 1)
}

func loadPOST(n int) []byte {
	alerts := make([]string, n)
	for i := range alerts {
		alerts[i] = loadAlert(i)
	}
	return []byte("[" + strings.Join(alerts, ",") + "]")
}

// BenchmarkDecodeAPI reports the time an alert, whatever the size of the POST.
func BenchmarkDecodeAPI(b *testing.B) {
	now := time.Date(2026, 11, 22, 8, 20, 0, 0, time.UTC)
	limits := intake.DefaultLimits()
	for _, n := range []int{1, 10, 100} {
		body := loadPOST(n)
		b.Run(fmt.Sprintf("b%d", n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if _, _, err := DecodeAPI(body, "bench", now, limits); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/alert")
		})
	}
}

func BenchmarkDecodeWebhook(b *testing.B) {
	now := time.Date(2026, 11, 22, 8, 20, 0, 0, time.UTC)
	limits := intake.DefaultLimits()
	for _, n := range []int{1, 10, 100} {
		list := strings.ReplaceAll(string(loadPOST(n)), `{"labels"`, `{"status":"firing","fingerprint":"a9eea90cb5182599","labels"`)
		body := []byte(`{"receiver":"hikeshi","status":"firing","alerts":` + list + `,"version":"4","groupKey":"{}:{alertname=\"HighErrorRate\"}","truncatedAlerts":0}`)
		b.Run(fmt.Sprintf("b%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := DecodeWebhook(body, "bench", now, limits); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/alert")
		})
	}
}

func TestTheLoadIsOfTheStatedSize(t *testing.T) {
	t.Parallel()
	if n := len(loadAlert(7)); n != alertBytes {
		t.Errorf("an alert has %d bytes, want %d", n, alertBytes)
	}
}
