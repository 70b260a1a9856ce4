package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAbsentDataIsSaid(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := run(t.Context(), flags{}, &out); err != nil || !strings.Contains(out.String(), "SKIPPED") {
		t.Errorf("without data: %q, %v", out.String(), err)
	}
	if err := run(t.Context(), flags{data: "no/such/folder"}, &out); err == nil {
		t.Error("a folder that is not there passes for measured")
	}
	out.Reset()
	f := flags{data: t.TempDir(), out: filepath.Join(t.TempDir(), "quality.jsonl")}
	if err := run(t.Context(), f, &out); err != nil || strings.Count(out.String(), "SKIPPED") != len(topics) {
		t.Errorf("an empty folder: %q, %v, want every topic skipped", out.String(), err)
	}
}

func TestFiguresAreWritten(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "quality.jsonl")
	results := []Result{{"set/F0/hit1", .5}, {"set/F0/hit3", .75}}
	if err := write(name, results); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(name)
	if want := "{\"name\":\"set/F0/hit1\",\"value\":0.5}\n{\"name\":\"set/F0/hit3\",\"value\":0.75}\n"; err != nil || string(got) != want {
		t.Errorf("wrote %q, %v", got, err)
	}
	var out bytes.Buffer
	table(&out, results)
	if got := out.String(); got != "set/F0  hit1 0.5  hit3 0.75\n" {
		t.Errorf("printed %q", got)
	}
}
