package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Every command, flag and exit code is on docs/cli.md.
func TestTheCommandLineIsDocumented(t *testing.T) {
	t.Parallel()
	page := read(t, "docs/cli.md")
	for _, c := range subcommands() {
		if c.hidden {
			continue
		}
		if !strings.Contains(page, "\nhikeshi "+c.name) {
			t.Errorf("docs/cli.md does not have %s", c.name)
		}
		var out, errs bytes.Buffer
		if code := run(t.Context(), []string{c.name, "--help"}, streams{nil, &out, &errs}); code != exitOK && !slices.Contains([]string{"runbook", "slack", "discord", "learn", "analyze", "audit", "jira", "backlog", "gitlab", "servicenow"}, c.name) { // those have verbs of their own
			t.Errorf("%s --help exits %d", c.name, code)
		}
		for _, m := range regexp.MustCompile(`(?m)^  -([a-z]+)`).FindAllStringSubmatch(errs.String(), -1) {
			row := regexp.MustCompile("(?m)^\\| `--" + m[1] + "` \\| [^|]*`" + c.name + "`")
			if !row.MatchString(page) {
				t.Errorf("docs/cli.md does not have --%s of %s", m[1], c.name)
			}
		}
	}
	for code, word := range map[int]string{exitOK: "worked", exitFailed: "did not work", exitUsage: "makes no sense", exitInvalid: "is wrong"} {
		if !regexp.MustCompile(fmt.Sprintf(`(?m)^\| %d \| .*%s`, code, word)).MatchString(page) {
			t.Errorf("docs/cli.md does not say what exit code %d means", code)
		}
	}
}

// A word too many and a format that there is not are refused, and which it is is said.
func TestWhatTheCommandLineRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range [][]string{{"version", "canary"}, {"--version", "canary"}, {"audit", "export", "--format", "canary"}} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), c, streams{nil, &out, &errs}); code != exitUsage || out.Len() > 0 || !strings.Contains(errs.String(), "canary") {
			t.Errorf("%v: exit %d, %s%s", c, code, &out, &errs)
		}
	}
}

// What demo refuses at once is said in its own words.
func TestWhatTheDemoRefuses(t *testing.T) {
	t.Parallel()
	var errs bytes.Buffer
	if code := run(t.Context(), []string{"demo", "--delay", "-5s"}, streams{nil, io.Discard, &errs}); code != exitUsage || !strings.Contains(errs.String(), "-5s") {
		t.Errorf("exit %d, %s", code, errs.String())
	}
	taken := httptest.NewServer(nil)
	defer taken.Close()
	c := config.Default()
	c.Data, c.Listen = t.TempDir(), taken.Listener.Addr().String()
	settled, err := c.Settle()
	if err != nil {
		t.Fatal(err)
	}
	_, err = buildFree(t.Context(), settled, slog.New(slog.DiscardHandler), false)
	if refused, ok := errors.AsType[*incidents.Error](err); !ok || !strings.HasPrefix(refused.Hint, "hikeshi demo --listen ") {
		t.Errorf("%v", err)
	}
}
