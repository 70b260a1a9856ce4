package inquiry_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	fakes "github.com/hikeshi-ops/hikeshi/internal/fakes/sources"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/ssh"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

func TestARealInfluxDBTellsItsSeries(t *testing.T) {
	t.Parallel()
	server := testenv.InfluxDB(t)
	at := alert()
	var lines strings.Builder
	for i := -200; i <= 5; i++ {
		v := 10
		if i >= 0 {
			v = 40
		}
		for _, host := range []string{"web-1", "web-2"} {
			fmt.Fprintf(&lines, "cpu,host=%s used=%d.%d,idle=3 %d\n", host, v, i&3, at.Add(time.Duration(i)*15*time.Second).Unix())
			v = 10
		}
	}
	testenv.FillInfluxDB(t, server, "metrics", "s", lines.String())
	config := `influxdb: [{url: $URL, database: metrics, series: [` +
		`{title: cpu, query: "SELECT mean(used), max(idle) FROM cpu WHERE host = '$host' AND $time GROUP BY time($step), host fill(null)"}, {title: all, query: "SELECT used FROM cpu WHERE $time GROUP BY host"}]}]`
	found := investigator(t, config, server.URL, nil)(t.Context(), broken(at))
	if len(found) != 2 || !holds(found, "series: cpu (mean host=web-1)|clue.series.times|after:40") || !holds(found, "series: all (host=web-1)") {
		t.Errorf("%s", strings.Join(found, "\n"))
	}
	found = investigator(t, `influxdb: [{url: $URL, database: metrics, series: [{query: "SELECT nonsense(used) FROM cpu WHERE $time"}]}]`, server.URL, nil)(t.Context(), broken(at))
	if len(found) != 1 || !holds(found, "missing: |clue.missing.failed|undefined function nonsense") {
		t.Errorf("%s", strings.Join(found, "\n"))
	}
}

// journalctl stands for the real one, which has no journal here: it takes the
// arguments that systemd documents, in the order in which they are sent, and no others.
const journalctl = `#!/bin/sh
[ "$1 $2 $3 $4 $5" = "--no-pager --quiet --output=json --output-fields=MESSAGE --unit=shop.service" ] || { echo "Unknown arguments: $*" >&2; exit 1; }
case "$6 $7 $8" in --since=@[0-9]*\ --until=@[0-9]*\ --lines=[0-9]*) cat "$(dirname "$0")/journal" ;; *) echo "Failed to parse timestamp: $*" >&2; exit 1 ;; esac
`

func TestLogsAreReadOverRealSSH(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := alert()
	var journal, plain strings.Builder
	for _, l := range fakes.Lines(at) {
		fmt.Fprintf(&journal, "{\"__REALTIME_TIMESTAMP\":\"%d\",\"MESSAGE\":%q}\n", l.At.UnixMicro(), l.Text)
		fmt.Fprintf(&plain, "%s %s\n  at a line without a time\n", l.At.UTC().Format("2006-01-02 15:04:05,000"), l.Text)
	}
	journal.WriteString("no JSON\n{\"MESSAGE\":\"no time\"}\n{\"__REALTIME_TIMESTAMP\":\"1\",\"MESSAGE\":[104,105,300]}\n{\"__REALTIME_TIMESTAMP\":\"1\",\"MESSAGE\":null}\n")
	log := filepath.Join(dir, "it's $(a) log")
	for name, content := range map[string]string{"journalctl": journalctl, "journal": journal.String(), filepath.Base(log): plain.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	server := testenv.SSHD(t, "SetEnv PATH="+dir+":/usr/bin:/bin")
	inventory := filepath.Join(dir, "inventory.yaml")
	text := fmt.Sprintf("defaults: {user: %s, key_file: %s, port: %d}\nhosts:\n  web-1: {address: 127.0.0.1, host_keys: [%q]}\n", server.User, server.KeyFile, server.Port, server.HostKey)
	if err := os.WriteFile(inventory, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	hosts, err := ssh.ReadInventory(inventory)
	if err != nil {
		t.Fatal(err)
	}
	reader := ssh.New(hosts)
	ask := func(entry string, s *incidents.Incident) []string {
		return investigator(t, "host_logs: ["+entry+"]", "", reader)(t.Context(), s)
	}
	for _, entry := range []string{"{host: $host, unit: shop.service}", fmt.Sprintf("{host: web-1, file: %q}", log)} {
		if found := ask(entry, broken(at)); !holds(found, "log: |payment refused|password=[redacted]|clue.log.new|n:5") || holds(found, "missing: ") {
			t.Errorf("%s: %s", entry, strings.Join(found, "\n"))
		}
	}
	out, more, err := reader.Read(t.Context(), "web-1", []string{"sh", "-c", "printf %s \"$1\"; echo why >&2; exit 3", "sh", strings.Repeat("a", 100) + "the end"}, 7)
	if err == nil || !strings.Contains(err.Error(), "ended with 3: why") || !more || string(out) != "the end" {
		t.Errorf("%q %t %v", out, more, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := reader.Read(ctx, "web-1", []string{"sleep", "60"}, 10); err == nil {
		t.Error("it was read although nobody waits")
	}
}

func TestALogThatCannotBeReadIsNamed(t *testing.T) {
	t.Parallel()
	ask := func(entry, host string) []string {
		s := broken(alert())
		s.Common = incidents.NewLabels([]incidents.Label{{Name: "instance", Value: host}})
		return investigator(t, "host_logs: ["+entry+"]", "", remote{})(t.Context(), s)
	}
	for entry, want := range map[string]string{
		"{host: web-1, unit: broken.service}":         "missing: broken.service|clue.missing.failed|the disk is broken",
		"{host: web-1, file: /var/log/untimed}":       "missing: /var/log/untimed|clue.missing.untimed",
		"{host: $instance, unit: shop.service}":       "missing: shop.service|clue.missing.host|web-9",
		"{host: $hostname, unit: shop.service}":       "missing: shop.service|clue.missing.host|label:hostname",
		"{name: x, host: web-1, unit: other.service}": "",
	} {
		if found := ask(entry, "web-9:9100"); want == "" && len(found) > 0 || want != "" && !holds(found, want) {
			t.Errorf("%s: %q", entry, found)
		}
	}
	if found := ask("{host: $instance, unit: shop.service, service: mail}", "web-1:9100"); len(found) > 0 {
		t.Errorf("asked for another service: %q", found)
	}
}

// remote has the host web-1, with a broken journal and a log without times.
type remote struct{}

func (remote) Has(host string) bool { return host == "web-1" }
func (remote) Read(_ context.Context, _ string, argv []string, _ int) ([]byte, bool, error) {
	switch {
	case slices.Contains(argv, "--unit=broken.service"):
		return nil, false, errors.New("the disk is broken")
	case argv[len(argv)-1] == "/var/log/untimed":
		return []byte("a\nb\n"), false, nil
	}
	return nil, false, nil
}
