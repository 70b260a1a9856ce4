package inquiry_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	fakes "github.com/hikeshi-ops/hikeshi/internal/fakes/sources"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

// A server of Zabbix 6.0 (Debian's) is told values of an hour, and finds the problems
// in them itself.
func TestARealZabbixTellsSeriesAndProblems(t *testing.T) {
	t.Parallel()
	z := testenv.Zabbix(t)
	token := zabbixHost(t, z)
	at := alert()
	value := func(key string, v float64, after time.Duration) testenv.ZabbixValue {
		return testenv.ZabbixValue{Host: fakes.Host, Key: key, Value: strconv.FormatFloat(v, 'f', -1, 64), Clock: at.Add(after).Unix()}
	}
	values := []testenv.ZabbixValue{value("last", 1, 0), value("swap", 80, -20*time.Minute), value("swap", 3, -10*time.Minute), value("disk", 95, -2*time.Hour)}
	for i := -200; i <= 5; i++ {
		v := 10.25 + float64(i&1)
		if i >= 0 {
			v = 40.5
		}
		values = append(values, value("system.cpu.load[all,avg1]", v, time.Duration(i)*15*time.Second), value("used", 1<<40*v, time.Duration(i)*15*time.Second))
	}
	z.Send(values...)
	awaitProblems(t, z)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ask := func(items, tokenFile string) []string {
		t.Helper()
		return investigator(t, `zabbix: [{url: $URL, token_file: `+tokenFile+`, items: [`+items+`]}]`, z.URL, nil)(t.Context(), broken(at))
	}
	found := ask(`{query: "system.cpu.load[all,avg1]"}, {query: used, title: memory}`, file)
	for _, want := range []string{
		`series: Load average|clue.series.times|after:40.5|/history.php?action=showgraph|itemids%5B%5D=`, `series: memory|clue.series.times`,
		`problem: Disk is full on web-1|clue.problem.lasts|severity:4|/tr_events.php?eventid=`, `problem: Swap is used|clue.problem.over|severity:2`,
	} {
		if !holds(found, want) {
			t.Errorf("%q is missing in\n%s", want, strings.Join(found, "\n"))
		}
	}
	if len(found) != 4 {
		t.Errorf("more than that is told:\n%s", strings.Join(found, "\n"))
	}
	for items, want := range map[string]string{`{query: nothing}`: "no item nothing", `{query: log}`: "has no numbers", `{query: empty}`: ""} {
		found := ask(items, file)
		if want != "" && !holds(found, "missing: |clue.missing.failed|"+want) || want == "" && len(found) != 2 {
			t.Errorf("%s: %s", items, strings.Join(found, "\n"))
		}
	}
	if err := os.WriteFile(file, []byte(strings.Repeat("0", len(token))), 0o600); err != nil {
		t.Fatal(err)
	}
	if found := ask("", file); len(found) != 1 || !holds(found, "missing: |clue.missing.failed|Not authorized") {
		t.Errorf("with a wrong token: %s", strings.Join(found, "\n"))
	}
}

// zabbixHost makes a host with items and triggers, and gives a token of the API.
func zabbixHost(t *testing.T, z *testenv.ZabbixServer) (token string) {
	t.Helper()
	call := func(method string, params, into any) {
		t.Helper()
		if err := z.Call(method, params, into); err != nil {
			t.Fatal(err)
		}
	}
	var made map[string][]string
	call("hostgroup.create", map[string]any{"name": "ours"}, &made)
	call("host.create", map[string]any{"host": fakes.Host, "name": "The shop's first", "groups": []any{map[string]string{"groupid": made["groupids"][0]}}}, &made)
	item := func(key, name string, kind int) map[string]any {
		return map[string]any{"hostid": made["hostids"][0], "key_": key, "name": name, "type": 2, "value_type": kind}
	}
	var items, triggers map[string][]string
	call("item.create", []any{item("system.cpu.load[all,avg1]", "Load average", 0), item("used", "Used", 3), item("disk", "Disk", 0), item("swap", "Swap", 0), item("log", "Log", 2), item("empty", "Empty", 0)}, &items)
	trigger := func(name, key string, severity int) map[string]any {
		return map[string]any{"description": name, "expression": "last(/" + fakes.Host + "/" + key + ")>70", "priority": severity}
	}
	call("trigger.create", []any{trigger("Disk is full on {HOST.HOST}", "disk", 4), trigger("Swap is used", "swap", 2)}, &triggers)
	call("item.create", item("last", "Known only when all others are", 0), &items)
	var tokens map[string][]string
	call("token.create", map[string]any{"name": "hikeshi", "userid": "1"}, &tokens)
	var generated []struct{ Token string }
	call("token.generate", tokens["tokenids"], &generated)
	return generated[0].Token
}

// awaitProblems waits until both are found, one of them ended again, and all values can
// be read.
func awaitProblems(t *testing.T, z *testenv.ZabbixServer) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		var problems, events []struct{}
		if err := z.Call("problem.get", map[string]any{}, &problems); err != nil {
			t.Fatal(err)
		}
		if err := z.Call("event.get", map[string]any{"source": 0}, &events); err != nil {
			t.Fatal(err)
		}
		counts := make([]string, 2)
		for i, kind := range []int{0, 3} {
			if err := z.Call("history.get", map[string]any{"history": kind, "countOutput": true}, &counts[i]); err != nil {
				t.Fatal(err)
			}
		}
		if len(problems) == 1 && len(events) == 3 && counts[0] == "210" && counts[1] == "206" {
			return
		}
	}
	t.Fatal("the problems were not found")
}
