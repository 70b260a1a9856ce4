//go:build unix

package sqlite

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hikeshi-ops/hikeshi/storage/fault"
)

// lockDir takes the data directory for this process. The kernel lets go of the
// lock when the process ends, however it ends.
func lockDir(root *os.Root, dir string) (io.Closer, error) {
	f, err := root.OpenFile("hikeshi.lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock file: %w", err)
	}
	if err := flock(f); err != nil {
		defer f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", dir, err)
		}
		return nil, fault.InUse(dir, holder(f))
	}
	// Who holds it is only for the message; a full disk must not keep us from starting.
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return f, nil
}

// lockPatience is how long a lock that is held is tried for. A process that is
// just ending, or a child of it between fork and exec, holds it a moment longer.
const lockPatience = time.Second

func flock(f *os.File) error {
	for until := time.Now().Add(lockPatience); ; time.Sleep(20 * time.Millisecond) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(until) {
			return err
		}
	}
}

func holder(f io.Reader) string {
	raw, err := io.ReadAll(io.LimitReader(f, 32))
	pid, parse := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil || parse != nil {
		return ""
	}
	return fmt.Sprintf(" (process %d)", pid)
}
