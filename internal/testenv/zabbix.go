package testenv

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Zabbix starts Debian's Zabbix of zabbix-server-pgsql, zabbix-frontend-php, php-cli and
// php-pgsql over a PostgreSQL of its own, with its administrator and no host. It takes ten
// seconds of two cores, so only who sets HIKESHI_ZABBIX has it.
func Zabbix(t testing.TB) *ZabbixServer {
	t.Helper()
	if os.Getenv("HIKESHI_ZABBIX") == "" {
		Leave(t, "needs HIKESHI_ZABBIX=1 and a Zabbix (apt-get install zabbix-server-pgsql zabbix-frontend-php php-cli php-pgsql php-mbstring php-xml php-bcmath php-gd postgresql)")
	}
	z := &ZabbixServer{t: t, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	database := postgres(t)
	z.fill(database)
	z.serve(database)
	z.show(database)
	if err := z.Call("user.login", map[string]any{"username": "Admin", "password": "zabbix"}, &z.session); err != nil {
		t.Fatal(err)
	}
	return z
}

// postgres starts a PostgreSQL that keeps nothing; as root as its own user, which it wants.
func postgres(t testing.TB) *service {
	t.Helper()
	bin := ""
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres"); len(found) > 0 {
		bin = filepath.Dir(found[len(found)-1])
	} else {
		bin = filepath.Dir(Need(t, "postgres"))
	}
	dir, err := os.MkdirTemp("", "hikeshi-postgres-") // below t.TempDir it could not look
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	as := []string{}
	if who, err := user.Lookup("postgres"); os.Getuid() == 0 && err == nil {
		uid, _ := strconv.Atoi(who.Uid)
		gid, _ := strconv.Atoi(who.Gid)
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
		as = []string{"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--pdeathsig=QUIT"}
	}
	data := filepath.Join(dir, "data")
	prepare := append(as, filepath.Join(bin, "initdb"), "-D", data, "-U", "zabbix", "-A", "trust", "-N", "--no-locale", "-E", "UTF8")
	initdb := exec.Command(prepare[0], prepare[1:]...)
	initdb.Dir = dir
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("make a database: %v\n%s", err, out)
	}
	s := &service{name: "postgres", dir: dir}
	s.argv = func(port int) []string {
		return append(as, filepath.Join(bin, "postgres"), "-D", data, "-c", "port="+strconv.Itoa(port), "-c", "listen_addresses=127.0.0.1",
			"-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "synchronous_commit=off")
	}
	s.ready = func(addr string) bool {
		_, port, _ := net.SplitHostPort(addr)
		return exec.Command(filepath.Join(bin, "pg_isready"), "-q", "-h", "127.0.0.1", "-p", port).Run() == nil
	}
	startService(t, s)
	t.Cleanup(s.Stop) // its own children end with it
	return s
}

// basics are the tables without which nobody can sign in. The rest of what Zabbix comes
// with, templates for 300 devices, is 30 MB.
var basics = regexp.MustCompile(`^INSERT INTO (role|role_rule|users|usrgrp|users_groups|hstgrp|config) `)

func (z *ZabbixServer) fill(database *service) {
	z.t.Helper()
	sql := &bytes.Buffer{}
	sql.WriteString(z.packed("schema"))
	keep := false
	for line := range strings.Lines(z.packed("data")) {
		if strings.HasPrefix(line, "INSERT INTO ") { // else it goes on with a text of several lines
			keep = basics.MatchString(line)
		}
		if keep && line != "COMMIT;\n" {
			sql.WriteString(line)
		}
	}
	psql := exec.Command(Need(z.t, "psql"), "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", strconv.Itoa(database.port), "-U", "zabbix", "-d", "postgres")
	psql.Stdin = sql
	if out, err := psql.CombinedOutput(); err != nil {
		z.t.Fatalf("fill the database of Zabbix: %v\n%s", err, out[:min(len(out), 2000)])
	}
}

func (z *ZabbixServer) packed(name string) string {
	z.t.Helper()
	f, err := os.Open("/usr/share/zabbix-server-pgsql/" + name + ".sql.gz")
	if err != nil {
		z.t.Fatal(err)
	}
	defer f.Close()
	text, err := gzip.NewReader(f)
	if err != nil {
		z.t.Fatal(err)
	}
	all, err := io.ReadAll(text)
	if err != nil {
		z.t.Fatal(err)
	}
	return string(all)
}

// serve starts the part that takes values and finds problems.
func (z *ZabbixServer) serve(database *service) {
	z.t.Helper()
	bin, dir := Need(z.t, "zabbix_server"), z.t.TempDir()
	s := &z.server
	s.name, s.dir = "zabbix_server", dir
	s.argv = func(port int) []string {
		text := fmt.Sprintf("LogType=console\nPidFile=%[1]s/pid\nSocketDir=%[1]s\nDBHost=127.0.0.1\nDBPort=%d\nDBName=postgres\nDBUser=zabbix\nListenIP=127.0.0.1\nListenPort=%d\nAllowRoot=1\n"+
			"CacheUpdateFrequency=1\nStartPollers=1\nStartTrappers=1\nStartPingers=0\nStartDiscoverers=0\nStartHTTPPollers=0\nStartDBSyncers=1\nStartPreprocessors=1\n", dir, database.port, port)
		config := filepath.Join(dir, "server.conf")
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			z.t.Fatal(err)
		}
		return []string{"setpriv", "--pdeathsig=TERM", bin, "-f", "-c", config} // its children end with it only so
	}
	s.ready = func(addr string) bool {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		return err == nil && c.Close() == nil
	}
	startService(z.t, s)
	z.t.Cleanup(s.Stop)
}

// show starts the part with the API. Its configuration stands at a place that is written
// in a class of it, of which it is given another copy.
func (z *ZabbixServer) show(database *service) {
	z.t.Helper()
	const pages = "/usr/share/zabbix"
	dir := z.t.TempDir()
	class, err := os.ReadFile(pages + "/include/classes/core/CConfigFile.php")
	if err != nil {
		z.t.Fatal(err)
	}
	config := filepath.Join(dir, "zabbix.conf.php")
	for name, text := range map[string]string{
		"class.php":       strings.ReplaceAll(string(class), "/etc/zabbix/zabbix.conf.php", config),
		"zabbix.conf.php": fmt.Sprintf("<?php\n$DB = ['TYPE' => 'POSTGRESQL', 'SERVER' => '127.0.0.1', 'PORT' => '%d', 'DATABASE' => 'postgres', 'USER' => 'zabbix', 'PASSWORD' => '', 'SCHEMA' => '', 'ENCRYPTION' => false, 'DOUBLE_IEEE754' => true];\n", database.port),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			z.t.Fatal(err)
		}
	}
	php := Need(z.t, "php")
	s := &service{name: "php", dir: dir, ready: func(addr string) bool {
		code, _ := request(http.MethodGet, "http://"+addr+"/robots.txt")
		return code == http.StatusOK
	}}
	s.argv = func(port int) []string {
		return []string{php, "-d", "auto_prepend_file=" + filepath.Join(dir, "class.php"), "-S", loopback(port), "-t", pages}
	}
	startService(z.t, s)
	z.URL = "http://" + s.Addr()
}
