package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
)

// Read calls f with the entries after a number, in order, until f returns an
// error, which Read returns, or there are no more. The body is f's to keep.
// Entries that were pruned meanwhile are passed over.
func (j *Journal) Read(after int64, f func(number int64, body []byte) error) error {
	j.mu.RLock()
	segments := make([]segment, 0, 4)
	for _, s := range j.segments {
		if s.end()-1 > after {
			segments = append(segments, *s) // as it is now
		}
	}
	j.mu.RUnlock()
	for i := range segments {
		err := j.readSegment(&segments[i], after, f)
		if errors.Is(err, fs.ErrNotExist) {
			continue // pruned
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (j *Journal) readSegment(s *segment, after int64, f func(int64, []byte) error) error {
	file, err := j.root.Open(s.name)
	if err != nil {
		return fmt.Errorf("open the journal: %w", err)
	}
	defer file.Close()
	from := s.before(after + 1)
	for number, pos := from.number, from.pos; number < s.end() && pos != s.size; number++ { // a file behind it may have been taken away
		body, err := record(file, pos, s.size, number, nil)
		if errors.Is(err, errBroken) {
			return damaged(s.name, pos)
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", s.name, err)
		}
		pos += prefixSize + int64(len(body))
		if number <= after {
			continue
		}
		if err := f(number, body); err != nil {
			return err
		}
	}
	return nil
}

// Prune removes segments of which every entry is at or before upTo, if they
// were last written before a moment or the journal is larger than most bytes.
// It returns how many entries that were. The last segment stays, since it
// knows the next number.
func (j *Journal) Prune(upTo int64, before time.Time, most int64) (int, error) {
	gone := 0
	for {
		size := j.Size()
		j.mu.RLock()
		var s *segment
		if len(j.segments) > 1 && j.segments[0].end()-1 <= upTo && (j.segments[0].at.Before(before) || size > most) {
			s = j.segments[0]
		}
		j.mu.RUnlock()
		if s == nil {
			return gone, nil
		}
		failpoint.Hit("journal.prune.before_remove")
		if err := j.root.Remove(s.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return gone, fmt.Errorf("prune the journal: %w", err)
		}
		j.mu.Lock()
		j.segments = slices.DeleteFunc(j.segments, func(o *segment) bool { return o == s })
		j.mu.Unlock()
		gone += int(s.count)
	}
}
