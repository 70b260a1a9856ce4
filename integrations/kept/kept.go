// Package kept is a file of lines that never grows past its bound: when it is
// half full it takes the place of the one before. What Append returned for is on
// the disk. It is for what is of use for some hours only; each replica has its
// own. Start with Open.
package kept

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// File is open for appending. It is safe for concurrent use.
type File struct {
	mu   sync.Mutex
	path string
	half int64
	f    file
	size int64
	torn bool // the last line is the beginning of one
}

// file is an *os.File.
type file interface {
	io.WriteCloser
	Sync() error
	Truncate(size int64) error
}

// MaxLine bounds a line, in bytes.
const MaxLine = 64 << 10

// Open opens the file, making its folder, and gives what it holds to each, the
// oldest first. A line that a crash has torn is given too: it is the reader's to
// refuse. most is in bytes.
func Open(path string, most int64, each func(line []byte)) (*File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of %s: %w", path, err)
	}
	for _, name := range []string{path + ".1", path} {
		if err := readLines(name, each); err != nil {
			return nil, err
		}
	}
	k := &File{path: path, half: max(most/2, 1)}
	return k, k.open()
}

func readLines(name string, each func([]byte)) error {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, MaxLine)
	for {
		line, err := r.ReadSlice('\n')
		if len(line) > 0 && !errors.Is(err, bufio.ErrBufferFull) {
			each(bytes.TrimSuffix(line, []byte("\n")))
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull): // no line of ours
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read %s: %w", name, err)
		}
	}
}

func (k *File) open() error {
	f, err := os.OpenFile(k.path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open %s: %w", k.path, err)
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(fmt.Errorf("open %s: %w", k.path, err), f.Close())
	}
	size := info.Size()
	last := make([]byte, 1)
	if _, err := f.ReadAt(last, max(size-1, 0)); err == nil && last[0] != '\n' {
		if _, err := f.WriteString("\n"); err != nil { // the torn line ends here
			return errors.Join(fmt.Errorf("mend %s: %w", k.path, err), f.Close())
		}
		size++
	}
	if err := syncFolder(filepath.Dir(k.path)); err != nil {
		return errors.Join(err, f.Close())
	}
	k.f, k.size, k.torn = f, size, false
	return nil
}

// syncFolder makes the names in a folder durable: without it a file that was made or
// renamed may be gone after a power cut, however often it was synced itself.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}

// Append writes lines, which hold no newline, and returns once they are durable.
// After an error some may be; what is torn of them takes no later line with it.
func (k *File) Append(lines [][]byte) error {
	var all []byte
	for _, l := range lines {
		if len(l) >= MaxLine || bytes.IndexByte(l, '\n') >= 0 {
			return fmt.Errorf("append to %s: a line of %d bytes, or with a newline", k.path, len(l))
		}
		all = append(append(all, l...), '\n')
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.size > k.half {
		if err := k.turn(); err != nil {
			return err
		}
	}
	if k.torn {
		all = append([]byte("\n"), all...)
	}
	n, err := k.f.Write(all)
	if err != nil {
		k.undo(int64(n))
		return fmt.Errorf("append to %s: %w", k.path, err)
	}
	k.size, k.torn = k.size+int64(n), false
	if err := k.f.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", k.path, err)
	}
	return nil
}

// undo takes back the n bytes of a write that failed in its middle, as on a full disk.
// Where that fails too, the next line begins by ending the torn one.
func (k *File) undo(n int64) {
	if n > 0 && k.f.Truncate(k.size) != nil {
		k.size, k.torn = k.size+n, true
	}
}

// turn makes the file the one before, and begins another.
func (k *File) turn() error {
	if err := os.Rename(k.path, k.path+".1"); err != nil {
		return fmt.Errorf("turn over %s: %w", k.path, err)
	}
	old := k.f
	if err := k.open(); err != nil { // the old one stays open and where it was, and the next lines try again
		return errors.Join(err, os.Rename(k.path+".1", k.path))
	}
	return old.Close()
}

// Close closes the file.
func (k *File) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.f.Close()
}
