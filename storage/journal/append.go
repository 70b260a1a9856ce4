package journal

import (
	"fmt"
	"os"
	"time"
)

// Append writes the parts end to end as one entry and returns its number once
// it is durable. After an error the entry is not in the journal; should some of
// it be in the file, it is cut off or written over by its successor.
func (j *Journal) Append(parts ...[]byte) (int64, error) {
	if err := j.begin(); err != nil {
		return 0, err
	}
	s := j.last
	number := j.next
	j.buf = encode(j.buf, number, parts)
	if len(j.buf) == prefixSize || len(j.buf) > prefixSize+MaxEntry {
		return 0, fmt.Errorf("append to the journal: an entry of %d bytes", len(j.buf)-prefixSize)
	}
	if _, err := j.active.WriteAt(j.buf, s.size); err != nil {
		return 0, j.abandon(s, fmt.Errorf("append to the journal: %w", err))
	}
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
// fsync nobody knows what the kernel still has of it, so no more is written
// there: the next entry begins a new segment.
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
	if _, err := f.Write(header(j.next)); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	dir, err := j.root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
