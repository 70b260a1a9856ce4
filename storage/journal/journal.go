package journal

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options say how a journal is kept. The zero values are good.
type Options struct {
	Least   int64 // the next entry gets at least this number
	Segment int64 // bytes after which a new segment begins; default 64 MiB
}

// Journal is open.
type Journal struct {
	root    *os.Root
	segment int64

	mu       sync.RWMutex // guards what follows and the segments; only the appender changes the last one
	segments []*segment   // ascending
	next     int64        // number of the next entry

	// The appender's own.
	active *os.File // what it writes to; nil: it begins a new segment
	last   *segment // what it is of
	buf    []byte

	// Cut is how many bytes of an unfinished write were found at the end and
	// taken away by Open.
	Cut int64
	// Missing are entries that were not seen yet and are in no file: somebody
	// took one away.
	Missing []Range
}

// Range is the entries from First to Last.
type Range struct{ First, Last int64 }

// segment is one file.
type segment struct {
	name  string
	first int64 // number of its first entry
	count int64
	size  int64 // bytes that hold whole entries
	marks []place
	at    time.Time // when it was last written

	broken bool // something that is no entry lies behind the last one
}

// place is where an entry begins; there is one every placeEvery bytes.
type place struct{ number, pos int64 }

const placeEvery = 64 << 10

func (s *segment) end() int64 { return s.first + s.count }

// grew notes one more entry of size bytes, record included.
func (s *segment) grew(size int64) {
	if n := len(s.marks); n == 0 || s.size-s.marks[n-1].pos >= placeEvery {
		s.marks = append(s.marks, place{s.end(), s.size})
	}
	s.count++
	s.size += size
}

// before is the last known place at or before an entry.
func (s *segment) before(number int64) place {
	i, found := slices.BinarySearchFunc(s.marks, number, func(p place, n int64) int { return int(p.number - n) })
	switch {
	case found:
		return s.marks[i]
	case i > 0:
		return s.marks[i-1]
	}
	return place{s.first, headerSize}
}

const suffix = ".journal"

func segmentName(first int64) string { return fmt.Sprintf("%019d%s", first, suffix) }

// Open opens the journal in root, which it has to itself. It reads the last
// segment whole and calls each, if not nil, with every entry after seen: number
// and size in bytes of what waits. Segments before are not read.
func Open(root *os.Root, o Options, seen int64, each func(number, size int64)) (*Journal, error) {
	if o.Segment <= 0 {
		o.Segment = 64 << 20
	}
	j := &Journal{root: root, segment: o.Segment}
	names, err := fs.Glob(root.FS(), "*"+suffix)
	if err != nil {
		return nil, fmt.Errorf("list the journal: %w", err)
	}
	slices.Sort(names)
	for i, name := range names {
		s, err := j.look(name, i == len(names)-1)
		if err != nil {
			return nil, err
		}
		if s != nil {
			j.segments = append(j.segments, s)
		}
	}
	if err := j.count(seen, each); err != nil {
		return nil, err
	}
	j.next = max(o.Least, 1)
	if n := len(j.segments); n > 0 {
		j.next = max(j.next, j.segments[n-1].end())
	}
	return j, nil
}

// look reads the head of a file. One that ends within it holds nothing, and so
// does the last one where there is nothing behind a head that is not whole: it
// was being made.
func (j *Journal) look(name string, last bool) (*segment, error) {
	f, err := j.root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	var first int64
	if _, err := fmt.Sscanf(strings.TrimSuffix(name, suffix), "%d", &first); err != nil || name != segmentName(first) {
		return nil, fmt.Errorf("%s is not a segment of a journal by its name", name)
	}
	if info.Size() < headerSize {
		return nil, j.root.Remove(name)
	}
	got := make([]byte, headerSize)
	if _, err := f.ReadAt(got, 0); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if !slices.Equal(got, header(first)) {
		if last && info.Size() == headerSize {
			return nil, j.root.Remove(name)
		}
		return nil, damaged(name, 0)
	}
	return &segment{name: name, first: first, size: info.Size(), at: info.ModTime()}, nil
}

func damaged(name string, pos int64) error {
	return fmt.Errorf("%s is damaged at byte %d", name, pos)
}

// count learns what is in the segments. Those whose entries have all been seen
// are counted by the beginning of the next.
func (j *Journal) count(seen int64, each func(number, size int64)) error {
	for i, s := range j.segments {
		last := i == len(j.segments)-1
		if !last {
			next := j.segments[i+1].first
			if next <= s.first {
				return damaged(s.name, 0)
			}
			if next-1 <= seen {
				s.count = next - s.first
				continue
			}
		}
		if err := j.scan(s, last, func(number, size int64) {
			if number > seen && each != nil {
				each(number, size)
			}
		}); err != nil {
			return err
		}
		if last || s.end() == j.segments[i+1].first {
			continue
		}
		if s.broken {
			return damaged(s.name, s.size)
		}
		j.Missing = append(j.Missing, Range{max(s.end(), seen+1), j.segments[i+1].first - 1})
	}
	return nil
}

// scan reads a segment whole, and cuts off an unfinished end.
func (j *Journal) scan(s *segment, last bool, each func(number, size int64)) error {
	f, err := j.root.OpenFile(s.name, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("open the journal: %w", err)
	}
	defer f.Close()
	end := s.size
	s.size, s.count, s.marks = headerSize, 0, nil
	limit := int64(-1)
	if !last {
		i := slices.Index(j.segments, s)
		limit = j.segments[i+1].first // what lies beyond was written again, in there
	}
	var buf []byte
	for s.size < end && s.end() != limit {
		body, err := record(f, s.size, end, s.end(), buf)
		if errors.Is(err, errBroken) {
			if whole, err := follows(f, s.size, end, s.end()+1); whole || err != nil {
				return cmp.Or(err, damaged(s.name, s.size))
			}
			break
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", s.name, err)
		}
		buf = body[:0]
		each(s.end(), int64(len(body)))
		s.grew(prefixSize + int64(len(body)))
	}
	s.broken = s.size < end && s.end() != limit
	if !last || s.size == end {
		return nil
	}
	j.Cut = end - s.size
	if err := f.Truncate(s.size); err != nil {
		return fmt.Errorf("cut off the unfinished end of %s: %w", s.name, err)
	}
	return f.Sync()
}

// Next is the number of the next entry.
func (j *Journal) Next() int64 {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.next
}

// Size is how many bytes all segments have.
func (j *Journal) Size() int64 {
	j.mu.RLock()
	defer j.mu.RUnlock()
	var n int64
	for _, s := range j.segments {
		n += s.size
	}
	return n
}

// Close closes the files.
func (j *Journal) Close() error {
	if j.active == nil {
		return nil
	}
	f := j.active
	j.active = nil
	return f.Close()
}
