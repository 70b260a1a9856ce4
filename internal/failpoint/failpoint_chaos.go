//go:build chaos

package failpoint

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

var (
	mu     sync.Mutex
	hits   = map[string]int{}
	target string
	nth    int
	read   bool
)

// Hit marks a place, and dies there if it was told to.
func Hit(name string) {
	mu.Lock()
	defer mu.Unlock()
	if !read {
		var n string
		target, n, _ = strings.Cut(os.Getenv("HIKESHI_FAILPOINT"), ":")
		if nth, _ = strconv.Atoi(n); nth < 1 {
			nth = 1
		}
		read = true
	}
	hits[name]++
	if n := hits[name]; n == 1 || n == 3 {
		note(fmt.Sprintf("%s:%d", name, n))
	}
	if name == target && hits[name] == nth {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // never returns
	}
}

// Planted says whether HIKESHI_PLANT names this bug.
func Planted(bug string) bool { return os.Getenv("HIKESHI_PLANT") == bug }

func note(name string) {
	path := os.Getenv("HIKESHI_FAILPOINT_LOG")
	if path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	fmt.Fprintln(f, name)
}
