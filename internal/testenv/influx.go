package testenv

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// InfluxDB starts Debian's influxd (1.x) with an empty data directory and without users.
func InfluxDB(t testing.TB) *HTTPServer {
	t.Helper()
	bin := Need(t, "influxd")
	m := &HTTPServer{}
	m.name, m.dir, m.ready = "influxd", t.TempDir(), pingOverHTTP
	m.Config = filepath.Join(m.dir, "influxdb.conf")
	m.argv = func(port int) []string {
		// Its own port for backups is any that is free (0).
		text := fmt.Sprintf("reporting-disabled = true\nbind-address = \"127.0.0.1:0\"\n[meta]\ndir = %q\n[data]\ndir = %q\nwal-dir = %q\n"+
			"[http]\nbind-address = \"127.0.0.1:%d\"\n[ifql]\nenabled = false\n[monitor]\nstore-enabled = false\n",
			filepath.Join(m.dir, "meta"), filepath.Join(m.dir, "data"), filepath.Join(m.dir, "wal"), port)
		if err := os.WriteFile(m.Config, []byte(text), 0o600); err != nil {
			t.Fatalf("write the configuration of influxd: %v", err)
		}
		return []string{bin, "-config", m.Config}
	}
	startService(t, &m.service)
	m.URL = "http://" + m.Addr()
	return m
}

func pingOverHTTP(addr string) bool {
	code, _ := request(http.MethodGet, "http://"+addr+"/ping")
	return code == http.StatusNoContent
}
