package steps

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

func logStep(file, pattern, expect string) incidents.Step {
	return incidents.Step{ID: "log", Kind: KindLog, URL: file, Query: pattern, Expect: expect, Timeout: 30 * time.Second}
}

func TestLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put := func(name, text string) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	app := put("app.log", "two ERROR\r\nthree fine\nfour ERROR (new)\nfive ERROR without an end")
	put("app.log.1", "zero fine\none ERROR (rotated)\n")
	large := put("large.log", "ERROR too old\n"+strings.Repeat(strings.Repeat("x", 99)+"\n", maxLog/100+1)+"ERROR recent\n")
	put("large.log.1", "ERROR even older\n")
	cut := put("cut.log", "ERROR cut in two"+strings.Repeat("x", maxLog-2)+"\nfine\n")
	empty := put("empty.log", "")
	e := executor(t, KindLog, Config{Logs: []string{filepath.Join(dir, "*.log")}})
	for name, c := range map[string]struct {
		file, pattern, expect string
		ok                    bool
		count                 float64
		value, output         string
	}{
		"with the rotated file": {app, "ERROR", "number < 4", false, 4, "4: five ERROR without an end", "one ERROR (rotated)\ntwo ERROR\nfour ERROR (new)\nfive ERROR without an end"},
		"enough":                {app, "ERROR", "number >= 4", true, 4, "4: ", ""},
		"none found":            {app, "FATAL", "none", true, 0, "0", ""},
		"none expected":         {app, "^one", "none", false, 1, "1: one", ""},
		"ends of lines":         {app, "ERROR$", "number == 1", true, 1, "1: two ERROR", ""},
		"only the recent part":  {large, "ERROR", "number == 1", true, 1, "1: ERROR recent", "ERROR recent"},
		"half a line is none":   {cut, "two|x", "none", true, 0, "0", ""},
		"empty":                 {empty, "ERROR", "none", true, 0, "0", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run(t, e, logStep(c.file, c.pattern, c.expect))
			if r.OK != c.ok || r.Number == nil || *r.Number != c.count || !strings.HasPrefix(r.Value, c.value) || c.output != "" && r.Output != c.output {
				t.Errorf("%+v", r)
			}
		})
	}
	many := put("many.log", strings.Repeat("ERROR\n", 1000))
	if r := run(t, e, logStep(many, "ERROR", "none")); strings.Count(r.Output, "ERROR") != maxLines || *r.Number != 1000 {
		t.Errorf("%+v", r)
	}
}

func TestLogRefusals(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	logs := filepath.Join(dir, "logs")
	if err := os.MkdirAll(filepath.Join(logs, "below"), 0o700); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(dir, "secret.log")
	for _, file := range []string{secret, filepath.Join(logs, "below", "app.log"), filepath.Join(logs, "app.txt")} {
		if err := os.WriteFile(file, []byte("ERROR"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(secret, filepath.Join(logs, "link.log")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(logs, "pipe.log"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := executor(t, KindLog, Config{Logs: []string{filepath.Join(logs, "*.log")}})
	for file, phrase := range map[string]string{
		secret:                                  "runbook.log.refused",
		filepath.Join(logs, "below", "app.log"): "runbook.log.refused",
		filepath.Join(logs, "app.txt"):          "runbook.log.refused",
		logs + "/../secret.log":                 "runbook.log.refused",
		"/proc/self/environ":                    "runbook.log.refused",
		"app.log":                               "runbook.log.refused",
		logs + "/a\x00.log":                     "runbook.log.refused",
		filepath.Join(logs, "link.log"):         "runbook.log.unreadable",
		filepath.Join(logs, "pipe.log"):         "runbook.log.unreadable",
		filepath.Join(logs, "missing.log"):      "runbook.log.unreadable",
	} {
		t.Run(fmt.Sprintf("%q", filepath.Base(file)), func(t *testing.T) {
			t.Parallel()
			if r := run(t, e, logStep(file, "ERROR", "none")); r.OK || r.Because.Phrase != phrase || r.Output != "" {
				t.Errorf("%+v", r)
			}
		})
	}
	if r := run(t, e, logStep(secret, "(", "none")); r.Because.Phrase != "runbook.bad_step" {
		t.Errorf("%+v", r)
	}
	for _, bad := range [][]string{{"app.log"}, {"/var/log/../x"}, {"/var/[log"}} {
		if err := (Config{Logs: bad}).Validate(); err == nil {
			t.Errorf("%q: accepted", bad)
		}
	}
}
