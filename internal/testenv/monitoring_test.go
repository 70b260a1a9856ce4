package testenv_test

import (
	"encoding/json"
	"net/http"
	"os"
	"testing"

	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

func getJSON(t *testing.T, url string, into any) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		t.Fatalf("decode %s: %v", url, err)
	}
}

func TestPrometheusRunsWithTheGivenConfiguration(t *testing.T) {
	t.Parallel()
	p := testenv.Prometheus(t, "global:\n  external_labels: {team: blue}\n")
	var status struct{ Data struct{ YAML string } }
	config := func() string {
		getJSON(t, p.URL+"/api/v1/status/config", &status)
		return status.Data.YAML
	}
	before := config()
	if err := os.WriteFile(p.Config, []byte("global:\n  external_labels: {team: red}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.Reload()
	if after := config(); after == before {
		t.Errorf("the configuration did not change on Reload:\n%s", after)
	}
	pid := p.Pid()
	p.Restart()
	if p.Pid() == pid || p.Pid() == 0 {
		t.Errorf("pid %d after Restart, %d before", p.Pid(), pid)
	}
}

func TestAlertmanagerRunsAlone(t *testing.T) {
	t.Parallel()
	a := testenv.Alertmanager(t, "route: {receiver: none}\nreceivers: [{name: none}]\n")
	var status struct{ Cluster struct{ Status string } }
	getJSON(t, a.URL+"/api/v2/status", &status)
	if status.Cluster.Status != "disabled" {
		t.Errorf("cluster is %q, want disabled", status.Cluster.Status)
	}
}
