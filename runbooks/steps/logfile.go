package steps

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Log carries out log steps: it counts the recent lines of a file that match. A
// step's URL is the file, its Query the pattern (RE2).
type Log struct{ allowed []string }

const (
	maxLog     = 1 << 20 // bytes from the end that are looked at, of the rotated file too
	maxLines   = 20      // that are shown, the last ones
	maxPattern = 4096    // bytes, the values of parameters in it included
)

// Execute implements Executor.
func (l *Log) Execute(ctx context.Context, step incidents.Step, _ Env) incidents.StepResult {
	expect, err := ParseExpect(step.Expect)
	if err != nil {
		return Failed(Bad(err))
	}
	if len(step.Query) > maxPattern {
		return Failed(Bad(errors.New("its pattern is too long")))
	}
	pattern, err := regexp.Compile(step.Query)
	if err != nil {
		return Failed(Bad(err))
	}
	if !l.allows(step.URL) {
		return Failed(incidents.Fail(incidents.Forbidden, "runbook.log.refused",
			fmt.Sprintf("%.200q is not among the logs that may be read", step.URL), "file", fmt.Sprintf("%.200s", step.URL)))
	}
	text, err := recent(step.URL)
	if err != nil {
		return Failed(incidents.Fail(incidents.Unavailable, "runbook.log.unreadable",
			fmt.Sprintf("%s cannot be read: %v", step.URL, err), "file", step.URL, "error", err.Error()))
	}
	var found []string
	for line := range bytes.Lines(text) {
		if ctx.Err() != nil {
			return Failed(Stopped(ctx, step))
		}
		if line = bytes.TrimRight(line, "\r\n"); pattern.Match(line) {
			found = append(found, string(line))
		}
	}
	return judgeLines(expect, found)
}

// judgeLines is what the matching lines mean.
func judgeLines(expect Expect, found []string) incidents.StepResult {
	count := float64(len(found))
	result := incidents.StepResult{OK: len(found) == 0 || !expect.None, Number: &count, Value: fmt.Sprintf("%d", len(found))}
	if expect.Number != nil && !expect.Number.holds(count) {
		result.OK = false
	}
	if n := len(found); n > 0 {
		result.Value += ": " + CutLine(found[n-1], 80)
		result.Output = strings.Join(found[max(0, n-maxLines):], "\n")
	}
	return result
}

// allows says whether the file is one of the configured ones. A star stands for
// part of one name, never for a directory.
func (l *Log) allows(name string) bool {
	return filepath.IsAbs(name) && filepath.Clean(name) == name && !strings.ContainsRune(name, 0) &&
		slices.ContainsFunc(l.allowed, func(pattern string) bool {
			ok, err := filepath.Match(pattern, name)
			return err == nil && ok
		})
}

// recent is the last part of the file, and, where the file was rotated a short
// while ago, of its predecessor (name.1) before it. It begins at the beginning of
// a line.
func recent(name string) ([]byte, error) {
	root, err := os.OpenRoot(filepath.Dir(name)) // a link cannot lead out of the log's directory
	if err != nil {
		return nil, err
	}
	defer root.Close()
	text, whole, err := tail(root, filepath.Base(name), maxLog)
	if err != nil {
		return nil, err
	}
	if room := maxLog - len(text); whole && room > 0 {
		before, _, err := tail(root, filepath.Base(name)+".1", int64(room))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		text = append(before, text...)
	}
	return text, nil
}

// tail is the end of the file, or the whole of it.
func tail(root *os.Root, name string, most int64) (text []byte, whole bool, err error) {
	if info, err := root.Stat(name); err != nil {
		return nil, false, err
	} else if !info.Mode().IsRegular() { // opening a pipe would wait
		return nil, false, errors.New("it is not a plain file")
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, false, err
	}
	from := max(0, info.Size()-most)
	text, err = io.ReadAll(io.NewSectionReader(f, from, most))
	if err != nil || from == 0 {
		return text, true, err
	}
	_, text, _ = bytes.Cut(text, []byte{'\n'}) // the first line is half of one
	return text, false, nil
}
