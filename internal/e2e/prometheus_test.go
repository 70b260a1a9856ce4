package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/demo"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

// Debian's Prometheus scrapes the shop, its rule fires, Debian's Alertmanager
// delivers, and so on until the incident is resolved by proof.
func TestPrometheusAndAlertmanager(t *testing.T) {
	t.Parallel()
	shop := startShop(t)
	h := serve(t, shop)
	am := testenv.Alertmanager(t, demo.AlertmanagerConfig(h.url+"/v1/alerts/alertmanager", sourceToken))
	prometheus(t, demo.PrometheusOptions{Shop: shop.Addr(), Alertmanager: am.Addr()})
	outage(t, shop, h)
}

// The same with Prometheus posting straight to Hikeshi, which it takes for an
// Alertmanager.
func TestPrometheusAlone(t *testing.T) {
	t.Parallel()
	shop := startShop(t)
	h := serve(t, shop)
	prometheus(t, demo.PrometheusOptions{Shop: shop.Addr(), Alertmanager: strings.TrimPrefix(h.url, "http://"), Token: sourceToken})
	outage(t, shop, h)
}

func prometheus(t *testing.T, o demo.PrometheusOptions) {
	t.Helper()
	o.RulesFile = filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(o.RulesFile, []byte(demo.Rules), 0o600); err != nil {
		t.Fatal(err)
	}
	testenv.Prometheus(t, demo.PrometheusConfig(o))
}

// outage breaks the shop and plays the person who answers, to the end.
func outage(t *testing.T, shop *demo.Shop, h *hikeshi) {
	t.Helper()
	before := shop.Pid()
	if err := shop.Break(t.Context(), "wedge"); err != nil {
		t.Fatal(err)
	}
	inc := h.await("an incident with a room, a diagnosis and suggestions", func(s *seen) bool {
		return strings.Contains(s.Title, demo.AlertCheckoutDown) && len(s.Rooms) == 1 && len(s.Findings) > 0 && len(s.Suggestions) > 0
	})
	rank := 0
	for _, s := range inc.Suggestions {
		if s.Action == "shop-restart" {
			rank = s.Rank
		}
	}
	h.command(inc.ID, "ack")
	h.command(inc.ID, "approve "+strconv.Itoa(rank))
	inc = h.await("the resolution", func(s *seen) bool { return s.ID == inc.ID && s.Status == incidents.Resolved })
	if len(inc.Runs) != 1 || inc.Runs[0].State != incidents.RunVerified || inc.Firing != 0 {
		t.Errorf("resolved with runs %+v and %d alerts firing", inc.Runs, inc.Firing)
	}
	if health, err := shop.Health(t.Context()); err != nil || health.Status != "ok" || shop.Pid() == before {
		t.Errorf("the shop is %+v, %v, its process %d (before %d)", health, err, shop.Pid(), before)
	}
	var timeline struct {
		Lines []struct{ Kind incidents.EventKind }
	}
	h.call(http.MethodGet, fmt.Sprintf("/api/v1/incidents/%d/timeline", inc.ID), nil, &timeline)
	var kinds []string
	for _, l := range timeline.Lines {
		kinds = append(kinds, string(l.Kind))
	}
	told := strings.Join(kinds, " ")
	at := 0
	for _, kind := range []string{"opened", "diagnosed", "ranked", "acknowledged", "approved", "run_started", "run_finished", "verified", "resolved"} {
		i := strings.Index(told[at:], kind)
		if i < 0 {
			t.Fatalf("the timeline lacks %s after %q: %s", kind, told[:at], told)
		}
		at += i
	}
	var postmortem string
	h.call(http.MethodGet, fmt.Sprintf("/api/v1/incidents/%d/postmortem", inc.ID), nil, &postmortem)
	for _, want := range []string{"bea", "Restart the shop", "HTTP 503"} {
		if !strings.Contains(postmortem, want) {
			t.Errorf("the postmortem does not mention %q:\n%s", want, postmortem)
		}
	}
}
