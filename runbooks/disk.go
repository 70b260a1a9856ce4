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

// readPath reads a runbook's file, or those of a directory. What could have been
// put there by somebody else is refused: symbolic links, and files and
// directories that their group or everybody may write to.
func readPath(name string) ([]file, []Problem) {
	info, err := os.Lstat(name)
	if err != nil {
		return nil, []Problem{diskProblem(name, err)}
	}
	if info.Mode().IsDir() {
		return readDir(name)
	}
	root, err := os.OpenRoot(filepath.Dir(name))
	if err != nil {
		return nil, []Problem{diskProblem(name, err)}
	}
	defer root.Close()
	content, err := readFile(root, filepath.Base(name))
	if err != nil {
		return nil, []Problem{diskProblem(name, err)}
	}
	return []file{{name, content}}, nil
}

func readDir(dir string) (files []file, problems []Problem) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, []Problem{diskProblem(dir, err)}
	}
	defer root.Close()
	info, err := root.Stat(".")
	if err == nil && info.Mode().Perm()&0o022 != 0 {
		err = errWritable
	}
	if err != nil {
		return nil, []Problem{diskProblem(dir, err)}
	}
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, []Problem{diskProblem(dir, err)}
	}
	for _, e := range entries {
		if e.IsDir() || !isRunbookFile(e.Name()) {
			continue
		}
		name := filepath.Join(dir, e.Name())
		if len(files) >= MaxRunbooks {
			return nil, append(problems, fileProblem(dir, "runbook.lint.too_many_runbooks", "max", strconv.Itoa(MaxRunbooks)))
		}
		content, err := readFile(root, e.Name())
		if err != nil {
			problems = append(problems, diskProblem(name, err))
			continue
		}
		files = append(files, file{name, content})
	}
	return files, problems
}

var (
	errNotAFile = errors.New("not a regular file")
	errWritable = errors.New("writable by others")
	errTooLarge = errors.New("too large")
)

// readFile looks at the file that it opened, not at its name, so that nothing
// can be exchanged in between.
func readFile(root *os.Root, name string) ([]byte, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|openFlags, 0)
	if err != nil {
		if info, e := root.Lstat(name); e == nil && !info.Mode().IsRegular() {
			return nil, errNotAFile
		}
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("stat: %w", err)
	case !info.Mode().IsRegular():
		return nil, errNotAFile
	case info.Mode().Perm()&0o022 != 0:
		return nil, errWritable
	case info.Size() > MaxFile:
		return nil, errTooLarge
	}
	b, err := io.ReadAll(io.LimitReader(f, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	return b, nil
}

func diskProblem(name string, err error) Problem {
	switch {
	case errors.Is(err, errNotAFile):
		return fileProblem(name, "runbook.lint.not_a_file")
	case errors.Is(err, errWritable):
		return fileProblem(name, "runbook.lint.writable", "file", name)
	case errors.Is(err, errTooLarge):
		return fileProblem(name, "runbook.lint.too_large", "max", strconv.Itoa(MaxFile>>10))
	default:
		return fileProblem(name, "runbook.lint.unreadable", "error", err.Error())
	}
}
