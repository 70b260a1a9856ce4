package alertmanager

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/intake"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

// batches is a Log that hands on what it keeps, after refusing the first few.
type batches struct {
	kept   chan *incidents.Batch
	refuse atomic.Int32
}

func (l *batches) Append(ctx context.Context, b *incidents.Batch) error {
	if l.refuse.Add(-1) >= 0 {
		return incidents.Fail(incidents.Unavailable, "", "the store is away")
	}
	select {
	case l.kept <- b:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// next waits for a batch in which an alert is in the wanted state.
func (l *batches) next(t *testing.T, resolved bool) incidents.Alert {
	t.Helper()
	deadline := time.After(90 * time.Second)
	for {
		select {
		case b := <-l.kept:
			for _, a := range b.Alerts {
				if a.Resolved == resolved {
					return a
				}
			}
		case <-deadline:
			t.Fatalf("no alert with resolved %v arrived", resolved)
		}
	}
}

const realToken = "a-token-of-the-test"

// hikeshi serves both endpoints as main does.
func hikeshi(t *testing.T) (addr string, log *batches) {
	t.Helper()
	log = &batches{kept: make(chan *incidents.Batch, 100)}
	v, err := intake.New(intake.Options{Log: log, Sources: []intake.Source{{Name: "real", Tokens: []intake.Token{realToken}}}})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("POST /v1/alerts/alertmanager", v.Handler("alertmanager", DecodeWebhook))
	mux.Handle("POST /api/v2/alerts", v.Handler("prometheus", DecodeAPI))
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv.Listener.Addr().String(), log
}

// Alertmanager delivers with its token, comes back after a 503, and tells the
// end of what it told the beginning of.
func TestARealAlertmanagerDelivers(t *testing.T) {
	t.Parallel()
	addr, log := hikeshi(t)
	log.refuse.Store(1)
	am := testenv.Alertmanager(t, fmt.Sprintf(`
route: {receiver: hikeshi, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
receivers:
- name: hikeshi
  webhook_configs:
  - url: http://%s/v1/alerts/alertmanager
    max_alerts: 500
    http_config: {authorization: {credentials: %s}}
`, addr, realToken))
	begun := time.Now().Add(-time.Minute).Truncate(time.Millisecond)
	post := func(endsAt time.Time) {
		t.Helper()
		body := fmt.Sprintf(`[{"labels":{"alertname":"DiskFull","instance":"db1"},"annotations":{"summary":"97 %%"},"startsAt":%q,"endsAt":%q}]`,
			begun.Format(time.RFC3339Nano), endsAt.Format(time.RFC3339Nano))
		resp, err := http.Post("http://"+am.Addr()+"/api/v2/alerts", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("alertmanager answered %s", resp.Status)
		}
	}
	post(time.Now().Add(time.Hour))
	fired := log.next(t, false)
	if fired.Name() != "DiskFull" || fired.Annotations.Get("summary") != "97 %" || !fired.EndsAt.IsZero() || !fired.StartsAt.Equal(begun) {
		t.Errorf("firing: %+v", fired)
	}
	if log.refuse.Load() >= 0 {
		t.Error("the first POST was not refused")
	}
	post(time.Now())
	ended := log.next(t, true)
	if ended.Fingerprint() != fired.Fingerprint() || !ended.StartsAt.Equal(fired.StartsAt) || !ended.EndsAt.After(begun) {
		t.Errorf("resolved: %+v, having fired: %+v", ended, fired)
	}
}

// Prometheus takes Hikeshi for its Alertmanager.
func TestARealPrometheusPosts(t *testing.T) {
	t.Parallel()
	addr, log := hikeshi(t)
	rules := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(rules, []byte(`
groups:
- name: shop
  rules:
  - alert: CheckoutErrors
    expr: (vector(time()) % 2) < 1 # every other second
    labels: {service: checkout, severity: critical}
    annotations: {summary: checkout answers 503}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	testenv.Prometheus(t, fmt.Sprintf(`
global: {evaluation_interval: 1s, external_labels: {cluster: eu-1}}
rule_files: [%s]
alerting:
  alertmanagers:
  - authorization: {credentials: %s}
    static_configs: [{targets: [%q]}]
`, rules, realToken, addr))
	fired := log.next(t, false)
	if fired.Name() != "CheckoutErrors" || fired.Service() != "checkout" || fired.Severity() != incidents.Sev1 ||
		fired.Labels.Get("cluster") != "eu-1" || !fired.EndsAt.After(time.Now()) || !strings.HasPrefix(fired.GeneratorURL, "http://") {
		t.Errorf("firing: %+v", fired)
	}
	ended := log.next(t, true)
	if ended.Fingerprint() != fired.Fingerprint() || !ended.StartsAt.Equal(fired.StartsAt) {
		t.Errorf("resolved: %+v, having fired: %+v", ended, fired)
	}
}
