package runbooks

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

// A shelfReader reads runbooks from disk. What could have been put there by
// somebody else is refused: symbolic links, and files and directories that their
// group or everybody may write to. A lenient one, for looking at files and not
// for running them, only warns of the latter.
type shelfReader struct {
	lenient  bool
	files    []file
	problems []Problem
}

// path reads a runbook's file, or those of a directory.
func (r *shelfReader) path(name string) {
	info, err := os.Lstat(name)
	if err != nil {
		r.fail(name, err)
		return
	}
	dir, base := filepath.Dir(name), filepath.Base(name)
	if info.Mode().IsDir() {
		dir = name
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		r.fail(name, err)
		return
	}
	defer root.Close()
	if !info.Mode().IsDir() {
		r.file(root, base, name)
		return
	}
	r.dir(root, name)
}

func (r *shelfReader) dir(root *os.Root, name string) {
	info, err := root.Stat(".")
	if err != nil {
		r.fail(name, err)
		return
	}
	if othersWrite(info) {
		if r.fail(name, errWritable); !r.lenient {
			return
		}
	}
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		r.fail(name, err)
		return
	}
	for _, e := range entries {
		if e.IsDir() || !isRunbookFile(e.Name()) {
			continue
		}
		if len(r.files) >= MaxRunbooks {
			r.problems = append(r.problems, fileProblem(name, "runbook.lint.too_many_runbooks", "max", strconv.Itoa(MaxRunbooks)))
			return
		}
		r.file(root, e.Name(), filepath.Join(name, e.Name()))
	}
}

func (r *shelfReader) file(root *os.Root, base, name string) {
	content, info, err := readFile(root, base)
	if err == nil && othersWrite(info) {
		if r.fail(name, errWritable); !r.lenient {
			return
		}
	}
	if err != nil {
		r.fail(name, err)
		return
	}
	r.files = append(r.files, file{name, content})
}

func othersWrite(info fs.FileInfo) bool { return info.Mode().Perm()&0o022 != 0 }

var (
	errNotAFile = errors.New("not a regular file")
	errWritable = errors.New("writable by others")
	errTooLarge = errors.New("too large")
)

// readFile looks at the file that it opened, not at its name, so that nothing
// can be exchanged in between. os.Root follows symbolic links that stay inside,
// so the name is looked at as well.
func readFile(root *os.Root, name string) ([]byte, fs.FileInfo, error) {
	named, err := root.Lstat(name)
	if err != nil {
		return nil, nil, fmt.Errorf("look: %w", err)
	}
	if !named.Mode().IsRegular() {
		return nil, nil, errNotAFile
	}
	f, err := root.OpenFile(name, os.O_RDONLY|openFlags, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("open: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("stat: %w", err)
	case !os.SameFile(named, info):
		return nil, nil, errNotAFile
	case info.Size() > MaxFile:
		return nil, nil, errTooLarge
	}
	b, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read: %w", err)
	}
	return b, info, nil
}

func (r *shelfReader) fail(name string, err error) {
	var p Problem
	switch {
	case errors.Is(err, errNotAFile):
		p = fileProblem(name, "runbook.lint.not_a_file")
	case errors.Is(err, errWritable):
		p = fileProblem(name, "runbook.lint.writable", "file", name)
		p.Warning = r.lenient
	case errors.Is(err, errTooLarge):
		p = fileProblem(name, "runbook.lint.too_large", "max", strconv.Itoa(MaxFile>>10))
	default:
		p = fileProblem(name, "runbook.lint.unreadable", "error", err.Error())
	}
	r.problems = append(r.problems, p)
}
