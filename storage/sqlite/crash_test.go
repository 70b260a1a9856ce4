//go:build unix

package sqlite_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage/conformance"
	"github.com/hikeshi-ops/hikeshi/storage/sqlite"
)

// The test binary is also the child that gets killed: which one, and in which
// directory, says the environment.
const (
	childEnv = "HIKESHI_SQLITE_CHILD"
	firstEnv = "HIKESHI_SQLITE_FIRST"
	limitEnv = "HIKESHI_SQLITE_LIMIT" // rounds; without it until killed
)

func TestMain(m *testing.M) {
	switch kind, dir, _ := strings.Cut(os.Getenv(childEnv), ":"); kind {
	case "":
		goleak.VerifyTestMain(m)
	case "work":
		exit(work(dir))
	case "full":
		exit(full(dir))
	}
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func child(t *testing.T, kind, dir string, env ...string) (*exec.Cmd, *conformance.Output) {
	t.Helper()
	return conformance.Child(t, append(env, childEnv+"="+kind+":"+dir)...)
}

func work(dir string) error {
	s, err := sqlite.Open(context.Background(), sqlite.Config{Dir: dir, Shards: 2})
	if err != nil {
		return err
	}
	first, err := strconv.Atoi(os.Getenv(firstEnv))
	if err != nil {
		return err
	}
	limit, err := strconv.Atoi(cmp.Or(os.Getenv(limitEnv), "0"))
	if err != nil {
		return err
	}
	return conformance.Work(context.Background(), s, os.Stdout, first, limit)
}

// TestKilled: a process that writes is killed again and again; after each time
// everything it was told is true is still true.
func TestKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := ""
	for range 4 {
		_, highest := conformance.Acknowledged(t, all)
		cmd, out := child(t, "work", dir, firstEnv+"="+strconv.Itoa(highest+2))
		<-out.After(200 + rand.IntN(2000))
		check(t, cmd.Process.Kill())
		_ = cmd.Wait() // it was killed
		all += out.String() + "\n"
		s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir})
		check(t, err)
		conformance.Survived(t, s, all)
		check(t, s.Close())
	}
}

// full appends, then finds that no file may grow any more (RLIMIT_FSIZE gives
// EFBIG, as a full disk gives ENOSPC), gets room back, and must go on by itself.
func full(dir string) error {
	signal.Ignore(syscall.SIGXFSZ)
	s, err := sqlite.Open(context.Background(), sqlite.Config{Dir: dir})
	if err != nil {
		return err
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	n := 0
	for ; n < 60; n++ {
		if err := s.Append(context.Background(), batch(n)); err != nil {
			return err
		}
		fmt.Println("appended", n)
	}
	small := syscall.Rlimit{Cur: 8, Max: limit.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil {
		return err
	}
	for range 3 { // in its segment, then in new ones
		if err = s.Append(context.Background(), batch(n)); incidents.CodeOf(err) != incidents.Unavailable {
			return fmt.Errorf("on a full disk: %w", err)
		}
		n++
	}
	if h := s.Health(context.Background()); h.Durable || len(h.Problems) == 0 {
		return fmt.Errorf("health on a full disk: %+v", h)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	if h := s.Health(context.Background()); !h.Durable { // nobody wrote meanwhile: it tries by itself
		return fmt.Errorf("health with room again: %+v", h)
	}
	for end := n + 20; n < end; n++ {
		if err := s.Append(context.Background(), batch(n)); err != nil {
			return fmt.Errorf("with room again: %w", err)
		}
		fmt.Println("appended", n)
	}
	return s.Close()
}

func TestFullDiskAndRoomAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd, out := child(t, "full", dir)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s := open(t, sqlite.Config{Dir: dir})
	seen := map[string]int{}
	entries, err := s.ReadLog(t.Context(), 0, 0, 64<<20)
	check(t, err)
	for _, e := range entries {
		for _, b := range e.Batches {
			seen[b.Alerts[0].Labels.Get("n")]++
		}
	}
	acknowledged := 0
	for line := range strings.Lines(out.String()) {
		acknowledged++
		if n := strings.TrimSpace(strings.TrimPrefix(line, "appended ")); seen[n] != 1 {
			t.Errorf("batch %s is there %d times", n, seen[n])
		}
	}
	if acknowledged < 50 {
		t.Fatalf("only %d batches were acknowledged", acknowledged)
	}
}
