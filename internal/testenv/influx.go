package testenv

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
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

// FillInfluxDB makes a database in a server of InfluxDB's and writes lines of its line
// protocol to it, their times in the unit that precision says (ns, s). Answers are read to
// their end: the server sends its 200 before it has made the database, and leaves off when
// nobody waits for the rest.
func FillInfluxDB(t testing.TB, server *HTTPServer, database, precision, lines string) {
	t.Helper()
	post := func(path, kind, body string) {
		t.Helper()
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Post(server.URL+path, kind, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		said, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode/100 != 2 || strings.Contains(string(said), `"error"`) {
			t.Fatalf("%s: %s %s %v", path, resp.Status, said, err)
		}
	}
	post("/query", "application/x-www-form-urlencoded", url.Values{"q": {"CREATE DATABASE " + database}}.Encode())
	post("/write?db="+database+"&precision="+precision, "text/plain", lines)
}
