package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

const shopctlUsage = `usage: hikeshi shopctl VERB --dir DIR

Looks after the demo's shop. DIR is the directory that the shop is supervised in.

  restart      end the process, start a new one, wait until it answers
  status       say how the shop is (--json: for programs)
  check        exit 0 when the shop is healthy, 1 when it is not, with the reason
  clean-cache  remove the files of the cache
  logs         print the end of the log (--lines N)
  break        break the shop: wedge, leak or slow (shopctl break --dir DIR wedge)

It exits with 0 when that worked, 1 when it did not, 2 when it was not understood.
`

// A shopctl is one call of the command.
type shopctl struct {
	dir    string
	json   bool
	lines  int
	rest   []string
	stdout io.Writer
}

// RunShopctl is the program `hikeshi shopctl`, with which a runbook looks after a
// shop that [StartShop] supervises. It returns the exit code.
func RunShopctl(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	verbs := map[string]func(*shopctl, context.Context) error{
		"restart": (*shopctl).restart, "status": (*shopctl).status, "check": (*shopctl).check,
		"clean-cache": (*shopctl).cleanCache, "logs": (*shopctl).logs, "break": (*shopctl).breakIt,
	}
	if len(args) == 0 || verbs[args[0]] == nil {
		fmt.Fprint(stderr, shopctlUsage)
		return exitUsage
	}
	c := &shopctl{stdout: stdout}
	f := flag.NewFlagSet("hikeshi shopctl", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.StringVar(&c.dir, "dir", "", "")
	f.BoolVar(&c.json, "json", false, "")
	f.IntVar(&c.lines, "lines", 20, "")
	err := f.Parse(args[1:])
	c.rest = f.Args()
	wantRest := 0
	if args[0] == "break" {
		wantRest = 1
	}
	if err != nil || c.dir == "" || len(c.rest) != wantRest || c.lines < 1 {
		fmt.Fprint(stderr, shopctlUsage)
		return exitUsage
	}
	if err := verbs[args[0]](c, ctx); err != nil {
		fmt.Fprintf(stderr, "shopctl %s: %v\n", args[0], err)
		return exitFailed
	}
	return exitOK
}

func (c *shopctl) restart(ctx context.Context) error {
	file, err := readControl(c.dir)
	if err != nil {
		return err
	}
	var r Restarted
	if err := file.ask(ctx, http.MethodPost, "/restart", &r); err != nil {
		return err
	}
	how := "stopped on SIGTERM"
	if r.Killed {
		how = "did not stop on SIGTERM and was killed"
	}
	if r.OldPID == 0 {
		how = "was not running"
	}
	fmt.Fprintf(c.stdout, "the old process (pid %d) %s\n", r.OldPID, how)
	fmt.Fprintf(c.stdout, "the new process (pid %d) answers at %s after %v\n", r.NewPID, r.URL, r.Took.Round(time.Millisecond))
	fmt.Fprintf(c.stdout, "health: %s\n", r.Health.line())
	return nil
}

func (h Health) line() string {
	if h.Reason == "" {
		return h.Status
	}
	return h.Status + ": " + h.Reason
}

func (c *shopctl) ask(ctx context.Context) (shopStatus, error) {
	var st shopStatus
	file, err := readControl(c.dir)
	if err == nil {
		err = file.ask(ctx, http.MethodGet, "/status", &st)
	}
	return st, err
}

func (c *shopctl) status(ctx context.Context) error {
	st, err := c.ask(ctx)
	if err != nil {
		return err
	}
	if c.json {
		enc := json.NewEncoder(c.stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(st)
	}
	if st.PID == 0 {
		fmt.Fprintf(c.stdout, "process:  none (restarts so far: %d)\n", st.Restarts)
		return nil
	}
	fmt.Fprintf(c.stdout, "process:  pid %d at %s, up %v (restarts so far: %d)\n",
		st.PID, st.URL, time.Since(st.Started).Round(time.Second), st.Restarts)
	h := st.Health
	if h == nil {
		fmt.Fprintf(c.stdout, "health:   does not answer: %s\n", st.Error)
		return nil
	}
	fmt.Fprintf(c.stdout, "health:   %s\n", h.line())
	fmt.Fprintf(c.stdout, "queue:    %d of %d waiting\n", h.QueueDepth, h.QueueCapacity)
	fmt.Fprintf(c.stdout, "workers:  %d of %d busy\n", h.WorkersBusy, len(h.Workers))
	for _, w := range h.Workers {
		if w.Job != "" {
			fmt.Fprintf(c.stdout, "  worker %d: %s, %s, for %.1f s\n", w.ID, w.Job, w.Doing, w.Seconds)
		}
	}
	fmt.Fprintf(c.stdout, "cache:    %s of %s\n", size(h.CacheBytes), size(h.CacheQuota))
	return nil
}

func (c *shopctl) check(ctx context.Context) error {
	st, err := c.ask(ctx)
	if err != nil {
		return err
	}
	if st.Health == nil {
		return errors.New(st.Error)
	}
	if st.Health.Status != "ok" {
		return errors.New(st.Health.line())
	}
	fmt.Fprintf(c.stdout, "ok: a worker answered after %.0f ms, %d waiting, cache %s of %s\n", st.Health.ProbeSeconds*1000,
		st.Health.QueueDepth, size(st.Health.CacheBytes), size(st.Health.CacheQuota))
	return nil
}

func (c *shopctl) cleanCache(context.Context) error {
	files, bytes, err := CleanCache(c.dir)
	fmt.Fprintf(c.stdout, "removed %d files, %d bytes (%s)\n", files, bytes, size(bytes))
	return err
}

// logs prints the last lines. The log has a limit, so it fits into memory.
func (c *shopctl) logs(context.Context) error {
	raw, err := os.ReadFile(filepath.Join(c.dir, logName))
	if err != nil {
		return err
	}
	lines := bytes.SplitAfter(bytes.TrimSuffix(raw, []byte("\n")), []byte("\n"))
	lines = lines[max(0, len(lines)-c.lines):]
	_, err = fmt.Fprintf(c.stdout, "%s\n", bytes.Join(lines, nil))
	return err
}

func (c *shopctl) breakIt(ctx context.Context) error {
	file, err := readControl(c.dir)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	if err := breakShop(ctx, &client, file.Shop, c.rest[0]); err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "broken: %s\n", c.rest[0])
	return nil
}
