// Package git tells the commits of a repository on this machine as changes. It
// runs git with fixed arguments, in no shell, and reads nothing else. It is a
// diagnostics.Source; start with Source.
package git

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Source is one repository.
type Source struct {
	Path    string // of the repository
	Service string // that its commits change
	Link    string // before a commit's number: "https://git.example.com/shop/-/commit/"; "" for none
}

const (
	mostCommits = 50
	mostOutput  = 1 << 20
	lookBack    = 6 * time.Hour
	fields      = 4
)

// Name is the repository's.
func (s *Source) Name() string { return "git " + s.Service }

// Tells is what it knows about.
func (*Source) Tells() []incidents.ClueKind {
	return []incidents.ClueKind{incidents.ClueChange}
}

// Ask reads the log before the alert.
func (s *Source) Ask(ctx context.Context, q diagnostics.Question) (diagnostics.Answer, error) {
	since := q.Alert.Add(-lookBack)
	cmd := exec.CommandContext(ctx, "git", "--no-pager", "-c", "core.fsmonitor=false", "-c", "log.showSignature=false", "-C", s.Path, "log", "--no-color", "--no-ext-diff", "--no-mailmap",
		"--max-count="+strconv.Itoa(mostCommits), "--since=@"+strconv.FormatInt(since.Unix(), 10), "--until=@"+strconv.FormatInt(q.To.Unix(), 10), "--format=%H%x1f%ct%x1f%an%x1f%s", "HEAD", "--")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C"}
	cmd.WaitDelay = time.Second
	var failed bytes.Buffer
	cmd.Stderr = &bounded{to: &failed, left: incidents.MaxValue}
	var out bytes.Buffer
	cmd.Stdout = &bounded{to: &out, left: mostOutput}
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return diagnostics.Answer{}, ctx.Err()
		}
		return diagnostics.Answer{}, fmt.Errorf("git log: %w: %s", err, strings.TrimSpace(failed.String()))
	}
	var answer diagnostics.Answer
	for line := range strings.Lines(out.String()) {
		part := strings.SplitN(strings.TrimSpace(line), "\x1f", fields)
		if len(part) < fields {
			continue
		}
		at, err := strconv.ParseInt(part[1], 10, 64)
		if err != nil {
			continue
		}
		c := diagnostics.Change{At: time.Unix(at, 0).UTC(), Service: s.Service, By: part[2], Title: part[3], Revision: part[0]}
		if s.Link != "" {
			c.URL = s.Link + part[0]
		}
		answer.Changes = append(answer.Changes, c)
	}
	return answer, nil
}

// bounded takes what fits, and lets the rest go by.
type bounded struct {
	to   *bytes.Buffer
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	n := min(len(p), b.left)
	b.left -= n
	b.to.Write(p[:n])
	return len(p), nil
}
