package trail

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hikeshi-ops/hikeshi/audit"
)

// CheckpointFile is the name of the checkpoints in a directory.
const CheckpointFile = "hikeshi-audit.checkpoints"

// Sink is the file that checkpoints are appended to. Several replicas may share
// one: each line is one write.
type Sink struct {
	path string
	busy atomic.Bool
}

// NewSink takes a file, or a directory, in which the file has its usual name.
func NewSink(path string) *Sink {
	if info, err := os.Stat(path); err == nil && info.IsDir() || strings.HasSuffix(path, string(filepath.Separator)) {
		path = filepath.Join(path, CheckpointFile)
	}
	return &Sink{path: path}
}

// Path is the file.
func (s *Sink) Path() string { return s.path }

// sinkFor is how long a checkpoint may take: a hanging network disk must not
// hold anybody.
const sinkFor = 2 * time.Second

var errSlow = errors.New("it took longer than 2 seconds")

// write appends a line and waits until it is on the disk.
func (s *Sink) write(line []byte) error {
	if !s.busy.CompareAndSwap(false, true) {
		return errSlow // the one before still hangs
	}
	done := make(chan error, 1)
	go func() {
		err := s.put(line)
		s.busy.Store(false)
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(sinkFor):
		return errSlow
	}
}

func (s *Sink) put(line []byte) (err error) {
	f, err := os.OpenFile(s.path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, info.Size()-1); err == nil && last[0] != '\n' {
			line = append([]byte("\n"), line...) // a crash tore the line before
		}
	}
	if _, err := f.Write(line); err != nil {
		return err
	}
	return f.Sync()
}

// tail is how much of the file is read to find the latest checkpoint.
const tail = 64 << 10

// latest is the newest checkpoint in the file: the one that has seen most. A
// torn last line, and what was signed with a key that is not ours, is no reason
// to refuse: verify says what is wrong with the file.
func (s *Sink) latest(keys audit.Keys) (best audit.Checkpoint, has bool, err error) {
	if s == nil {
		return best, false, nil
	}
	f, err := os.Open(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return best, false, nil
	}
	if err != nil {
		return best, false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return best, false, err
	}
	if !info.Mode().IsRegular() {
		return best, false, nil // a pipe, a terminal: nothing to read back
	}
	raw, err := io.ReadAll(io.NewSectionReader(f, max(info.Size()-tail, 0), tail))
	if err != nil {
		return best, false, err
	}
	for line := range bytes.Lines(raw) {
		if c, err := keys.ReadCheckpoint(line); err == nil && c.Seq > best.Seq {
			best, has = c, true
		}
	}
	return best, has, nil
}

// checkpoint pins the head, if it has moved since the latest one.
func (l *Log) checkpoint() {
	l.mu.Lock()
	head, first, ok := l.head, l.first, l.met && l.broken == nil && l.head.Seq > l.pointed
	l.mu.Unlock()
	if l.Sink == nil || !ok {
		return
	}
	line, err := l.Keys.Checkpoint(audit.Checkpoint{Seq: head.Seq, Head: head.MAC, First: first, At: audit.TimeOf(l.Now()), Replica: l.Owner})
	if err == nil {
		err = l.Sink.write(line)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		if l.sinkErr == "" {
			l.Logger.Warn("could not write a checkpoint of the audit", "file", l.Sink.path, "error", err)
		}
		l.sinkErr = audit.Text(err.Error(), 200)
		return
	}
	l.sinkErr, l.pointed = "", head.Seq
}

// Spot is a line of a file of checkpoints that is not one.
type Spot struct {
	File string
	Line int
	Err  error
}

// maxCheckpoints bounds the files that are read for a verification, in bytes.
const maxCheckpoints = 256 << 20

// ReadCheckpoints reads a file of checkpoints, or all in a directory. Lines that
// are none, or not ours, are returned beside: a torn last line is no more than
// that, anything else somebody has put there.
func ReadCheckpoints(path string, keys audit.Keys) (good []audit.Checkpoint, bad []Spot, err error) {
	files := []string{path}
	if info, statErr := os.Stat(path); statErr != nil {
		return nil, nil, statErr
	} else if info.IsDir() {
		if files, err = filepath.Glob(filepath.Join(path, "*.checkpoints")); err != nil {
			return nil, nil, err
		}
		slices.Sort(files)
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			return nil, nil, err
		}
		raw, err := io.ReadAll(io.LimitReader(f, maxCheckpoints+1))
		_ = f.Close()
		if err != nil {
			return nil, nil, err
		}
		if len(raw) > maxCheckpoints {
			return nil, nil, fmt.Errorf("%s has more than %d bytes", file, maxCheckpoints)
		}
		n := 0
		for line := range bytes.Lines(raw) {
			n++
			if len(bytes.TrimSpace(line)) == 0 {
				continue
			}
			c, err := keys.ReadCheckpoint(line)
			if err != nil {
				bad = append(bad, Spot{file, n, err})
				continue
			}
			good = append(good, c)
		}
	}
	return good, bad, nil
}
