package journal

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
)

// Append writes one entry and returns its number once it is durable. After an
// error the entry may or may not be there when the journal is opened again; as
// long as it is open, it is not.
func (j *Journal) Append(body []byte) (int64, error) {
	if err := j.begin(); err != nil {
		return 0, err
	}
	s := j.last
	number := j.next
	j.buf = encode(j.buf, number, body)
	if len(j.buf) == prefixSize || len(j.buf) > prefixSize+MaxEntry {
		return 0, fmt.Errorf("append to the journal: an entry of %d bytes", len(j.buf)-prefixSize)
	}
	if _, err := j.active.WriteAt(j.buf, s.size); err != nil {
		return 0, j.abandon(s, fmt.Errorf("append to the journal: %w", err))
	}
	failpoint.Hit("journal.append.written")
	if err := datasync(j.active); err != nil {
		return 0, j.abandon(s, fmt.Errorf("sync the journal: %w", err))
	}
	j.mu.Lock()
	s.grew(int64(len(j.buf)))
	s.at = time.Now()
	j.next++
	j.mu.Unlock()
	if cap(j.buf) > keepBuffer {
		j.buf = nil
	}
	return number, nil
}

// keepBuffer is how large a buffer is kept between appends.
const keepBuffer = 8 << 20

// abandon leaves the segment as it was before the failed write. After a failed
// fsync nobody knows what the kernel still has of it, so nothing is written
// behind what it has: the next entry begins a new segment (or the same, if it
// had none).
func (j *Journal) abandon(s *segment, cause error) error {
	_ = j.active.Truncate(s.size) // a full disk allows it; if nothing does, Open ignores what is there
	_ = j.active.Close()
	j.active = nil
	return cause
}

// begin makes sure that there is a segment to append to.
func (j *Journal) begin() error {
	if j.active != nil {
		if j.last.size < j.segment {
			return nil
		}
		f := j.active
		j.active = nil
		if err := f.Close(); err != nil {
			return fmt.Errorf("close a segment of the journal: %w", err)
		}
	}
	name := segmentName(j.next)
	f, err := j.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("begin a segment of the journal: %w", err)
	}
	if err := j.found(f, name); err != nil {
		_ = f.Close()
		_ = j.root.Remove(name)
		return fmt.Errorf("begin a segment of the journal: %w", err)
	}
	j.active = f
	j.mu.Lock()
	defer j.mu.Unlock()
	if n := len(j.segments); n > 0 && j.segments[n-1].first == j.next {
		j.segments = j.segments[:n-1] // it was empty, and has just been made anew
	}
	j.last = &segment{name: name, first: j.next, size: headerSize, at: time.Now()}
	j.segments = append(j.segments, j.last)
	return nil
}

// found writes a segment's head, and makes sure that its name is found after a
// crash.
func (j *Journal) found(f *os.File, name string) error {
	failpoint.Hit("journal.segment.made")
	if _, err := f.Write(header(j.next)); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	failpoint.Hit("journal.segment.written")
	return j.syncDir()
}

func (j *Journal) syncDir() error {
	dir, err := j.root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// probeName is no segment's.
const probeName = "probe"

// Probe finds out whether a segment could be begun and filled now. It leaves
// nothing behind. Only the appender calls it.
func (j *Journal) Probe() error {
	f, err := j.root.OpenFile(probeName, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("try to write to the journal: %w", err)
	}
	_, err = f.Write(make([]byte, probeSize))
	err = errors.Join(err, f.Sync(), f.Close(), j.root.Remove(probeName), j.syncDir())
	if err != nil {
		return fmt.Errorf("try to write to the journal: %w", err)
	}
	return nil
}

// probeSize is more than the crumbs that a full disk still has.
const probeSize = 256 << 10
