package calendar

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"time"
)

// file is where a window's events come from.
type file struct {
	path  string
	loc   *time.Location
	sum   [sha256.Size]byte // of what was read last, good or bad
	rules []rule
	bad   error // why it has never been read; nil once it has been
}

// File makes the events of an iCalendar file the window's: those that it has now, and
// after Reread those that it has then. What has no zone of its own is in loc. While it
// has never been read, a window that freezes changes is always: nobody knows when not.
func (w *Window) File(path string, loc *time.Location) error {
	w.file = &file{path: path, loc: loc}
	_, w.file.bad = w.reread()
	return w.file.bad
}

// Unread is why the window's file has never been read, nil where it has, or has none.
func (w *Window) Unread() error {
	if w.file == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.file.bad
}

// Unread are the windows whose files have never been read.
func (c Calendar) Unread() []*Window {
	var all []*Window
	for _, w := range c {
		if w.Unread() != nil {
			all = append(all, w)
		}
	}
	return all
}

// Source is the file that the window's events come from; "": none.
func (w *Window) Source() string {
	if w.file == nil {
		return ""
	}
	return w.file.path
}

// Reread reads the files of all windows again. A file that has changed counts as a
// whole and at once; one that cannot be read, or is bad, changes nothing: its window
// stays as it was. It tells the names of the windows that have changed, and each
// problem once for each content of a file.
func (c Calendar) Reread() (changed []string, problems []error) {
	for _, w := range c {
		if w.file == nil {
			continue
		}
		switch did, err := w.reread(); {
		case err != nil:
			problems = append(problems, fmt.Errorf("%s: read %s again: %w", w.Name, w.file.path, err))
		case did:
			changed = append(changed, w.Name)
		}
	}
	return changed, problems
}

// reread is called by one at a time; who asks for the window's times meanwhile gets
// those from before or those from after.
func (w *Window) reread() (changed bool, err error) {
	text, err := read(w.file.path)
	sum := sha256.Sum256([]byte(text))
	if err != nil {
		sum = sha256.Sum256([]byte(err.Error()))
	}
	if sum == w.file.sum {
		return false, nil
	}
	w.file.sum = sum
	if err != nil {
		return false, err
	}
	fresh := &Window{}
	if err := fresh.ICS(text, w.file.loc); err != nil {
		return false, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.file.rules, w.file.bad, w.known = fresh.rules, nil, nil
	return true, nil
}

// read follows a link, as a mounted ConfigMap has them, to a regular file: opening a pipe
// would wait for whoever writes it.
func read(path string) (string, error) {
	if info, err := os.Stat(path); err != nil {
		return "", err
	} else if !info.Mode().IsRegular() {
		return "", errNotAFile
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, MaxICS+1))
	if err == nil && len(b) > MaxICS {
		err = fmt.Errorf("it has more than %d bytes", MaxICS)
	}
	return string(b), err
}
