package testenv

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// HTTPServer is a Prometheus or an Alertmanager that a test owns.
type HTTPServer struct {
	service
	URL    string // http://host:port
	Config string // path of its configuration file, to be rewritten before Reload
}

// Prometheus starts Debian's prometheus with this configuration and an empty
// database. Relative rule_files are looked up in [HTTPServer.Dir], so give
// absolute paths.
func Prometheus(t testing.TB, configYAML string, extraArgs ...string) *HTTPServer {
	t.Helper()
	bin := Need(t, "prometheus")
	return monitoring(t, "prometheus", configYAML, func(addr, config, dir string) []string {
		return append([]string{bin,
			"--config.file=" + config, "--storage.tsdb.path=" + dir,
			"--web.listen-address=" + addr, "--web.enable-lifecycle",
		}, extraArgs...)
	})
}

// Alertmanager starts Debian's prometheus-alertmanager with this configuration,
// alone (no cluster) and with no state.
func Alertmanager(t testing.TB, configYAML string, extraArgs ...string) *HTTPServer {
	t.Helper()
	bin := Need(t, "prometheus-alertmanager")
	return monitoring(t, "alertmanager", configYAML, func(addr, config, dir string) []string {
		return append([]string{bin,
			"--config.file=" + config, "--storage.path=" + dir,
			"--web.listen-address=" + addr, "--cluster.listen-address=",
		}, extraArgs...)
	})
}

func monitoring(t testing.TB, name, configYAML string, argv func(addr, config, dir string) []string) *HTTPServer {
	t.Helper()
	m := &HTTPServer{}
	m.name, m.dir, m.ready = name, t.TempDir(), readyOverHTTP
	m.Config = filepath.Join(m.dir, name+".yml")
	if err := os.WriteFile(m.Config, []byte(configYAML), 0o600); err != nil {
		t.Fatalf("write the configuration of %s: %v", name, err)
	}
	data := filepath.Join(m.dir, "data")
	m.argv = func(port int) []string { return argv(loopback(port), m.Config, data) }
	startService(t, &m.service)
	m.URL = "http://" + m.Addr()
	return m
}

// Reload makes the server read its configuration file again.
func (m *HTTPServer) Reload() {
	m.t.Helper()
	if code, body := request(http.MethodPost, m.URL+"/-/reload"); code != http.StatusOK {
		m.t.Fatalf("reload %s: status %d: %s", m.name, code, body)
	}
}

func readyOverHTTP(addr string) bool {
	code, _ := request(http.MethodGet, "http://"+addr+"/-/ready")
	return code == http.StatusOK
}

// request does one exchange on a connection of its own, so that no idle
// connection is left behind as a goroutine. It returns 0 where nothing answered.
func request(method, url string) (code int, body string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return 0, err.Error()
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
	return resp.StatusCode, string(raw)
}
