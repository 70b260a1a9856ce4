package demo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

var errNoSpace = errors.New("no space in cache")

const (
	keepReceipts = 64       // newest receipts that stay
	roomNeeded   = 1 << 10  // bytes that must be free for the next receipt
	leakFile     = 64 << 10 // bytes of one leaked file
	leakPause    = 2 * time.Millisecond
)

// A cache is a directory with a quota in bytes. It counts what really lies
// there, so files that somebody else adds or removes count at once.
type cache struct {
	dir   string
	quota int64

	mu sync.Mutex // one writer at a time, so that the quota holds
}

// used is the size of the regular files in the directory, in bytes.
func (c *cache) used() (int64, error) {
	var total int64
	err := eachFile(c.dir, func(_ string, size int64) error {
		total += size
		return nil
	})
	return total, err
}

// full says whether the next receipt would not fit.
func (c *cache) full() (full bool, used int64, err error) {
	used, err = c.used()
	return used+roomNeeded > c.quota, used, err
}

func (c *cache) put(name string, data []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	full, used, err := c.full()
	if err != nil {
		return fmt.Errorf("measure the cache: %w", err)
	}
	if full || used+int64(len(data)) > c.quota {
		return fmt.Errorf("%w: %s of %s used", errNoSpace, size(used), size(c.quota))
	}
	if err := c.write(name, data); err != nil {
		return err
	}
	return c.evict()
}

func (c *cache) write(name string, data []byte) error {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return fmt.Errorf("make the cache: %w", err)
	}
	err := os.WriteFile(filepath.Join(c.dir, name), data, 0o600)
	if errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("%w: %w", errNoSpace, err)
	}
	if err != nil {
		return fmt.Errorf("write to the cache: %w", err)
	}
	return nil
}

// evict removes the oldest receipts. It does not know the leaked files, which is
// the bug: nobody removes those.
func (c *cache) evict() error {
	names, err := filepath.Glob(filepath.Join(c.dir, "receipt-*"))
	if err != nil || len(names) <= keepReceipts {
		return err
	}
	slices.Sort(names) // order numbers begin with the time
	for _, name := range names[:len(names)-keepReceipts] {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("evict a receipt: %w", err)
		}
	}
	return nil
}

// leak writes thumbnails that nobody will remove, until the quota is reached.
func (c *cache) leak(ctx context.Context) error {
	data := make([]byte, leakFile)
	for i := 0; ; i++ {
		c.mu.Lock()
		used, err := c.used()
		room := c.quota - used
		if err == nil && room > 0 {
			name := fmt.Sprintf("thumb-%x-%05d.tmp", time.Now().UnixNano(), i)
			err = c.write(name, data[:min(room, leakFile)])
		}
		c.mu.Unlock()
		if err != nil || room <= 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(leakPause):
		}
	}
}

// CleanCache removes the files of a shop's cache directory (DIR/cache) and
// returns how many there were and how many bytes they had. It follows no link
// and leaves directories alone.
func CleanCache(dir string) (files int, bytes int64, err error) {
	path := filepath.Join(dir, cacheDir)
	root, err := os.OpenRoot(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, fmt.Errorf("open the cache: %w", err)
	}
	defer root.Close()
	err = eachFile(path, func(name string, size int64) error {
		err := root.Remove(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			files, bytes = files+1, bytes+size
		}
		return err
	})
	if err != nil {
		return files, bytes, fmt.Errorf("clean the cache: %w", err)
	}
	return files, bytes, nil
}

// eachFile calls do for the regular files directly in dir. A directory that does
// not exist is empty, and so is a file that goes away meanwhile.
func eachFile(dir string, do func(name string, size int64) error) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
			continue
		}
		if err != nil {
			return err
		}
		if err := do(e.Name(), info.Size()); err != nil {
			return err
		}
	}
	return nil
}

// size writes bytes for people: 512 B, 3.4 KiB, 8.0 MiB.
func size(n int64) string {
	f, unit := float64(n), "B"
	for _, next := range []string{"KiB", "MiB", "GiB"} {
		if f < 1024 {
			break
		}
		f, unit = f/1024, next
	}
	s := fmt.Sprintf("%.1f %s", f, unit)
	return strings.Replace(s, ".0 B", " B", 1)
}
