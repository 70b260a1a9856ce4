package journal_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hikeshi-ops/hikeshi/storage/journal"
)

func open(t testing.TB, dir string, o journal.Options) *journal.Journal {
	t.Helper()
	j, err := reopen(t, dir, o, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func reopen(t testing.TB, dir string, o journal.Options, seen int64, each func(number, size int64)) (*journal.Journal, error) {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(root, o, seen, each)
	if err == nil {
		t.Cleanup(func() { _ = j.Close(); _ = root.Close() })
	}
	return j, err
}

func add(t testing.TB, j *journal.Journal, bodies ...string) {
	t.Helper()
	for _, b := range bodies {
		if _, err := j.Append([]byte(b)); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t testing.TB, j *journal.Journal, after int64) (bodies []string, first int64) {
	t.Helper()
	err := j.Read(after, func(number int64, body []byte) error {
		if first == 0 {
			first = number
		}
		if want := first + int64(len(bodies)); number != want {
			t.Fatalf("entry %d where %d is due", number, want)
		}
		bodies = append(bodies, string(body))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return bodies, first
}

func files(t testing.TB, dir string) []string {
	t.Helper()
	names, err := fs.Glob(os.DirFS(dir), "*.journal")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

func TestReadsWhatWasAppended(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, dir, journal.Options{Least: 8, Segment: 200})
	var want []string
	for i := range 100 {
		body := strings.Repeat("x", i) + fmt.Sprint(i)
		want = append(want, body)
		n, err := j.Append([]byte(body))
		if err != nil || n != int64(8+i) {
			t.Fatalf("entry %d, %v", n, err)
		}
	}
	for range 2 { // as it is, and after opening it again
		for _, after := range []int64{0, 7, 8, 50, 106, 107, 500} {
			got, first := read(t, j, after)
			from := max(after+1, 8)
			if at := min(int(from-8), 100); !slices.Equal(got, want[at:]) || len(got) > 0 && first != from {
				t.Fatalf("after %d: %d entries from %d", after, len(got), first)
			}
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		sizes := map[int64]int64{}
		var err error
		if j, err = reopen(t, dir, journal.Options{Segment: 200}, 60, func(n, size int64) { sizes[n] = size }); err != nil {
			t.Fatal(err)
		}
		if len(sizes) != 47 || sizes[61] != int64(len(want[53])) || j.Next() != 108 || j.Cut != 0 {
			t.Fatalf("%d wait, next %d, cut %d", len(sizes), j.Next(), j.Cut)
		}
	}
}

func TestStopsReading(t *testing.T) {
	t.Parallel()
	j := open(t, t.TempDir(), journal.Options{})
	add(t, j, "a", "b", "c")
	stop := errors.New("enough")
	n := 0
	if err := j.Read(0, func(int64, []byte) error { n++; return stop }); err != stop || n != 1 {
		t.Fatalf("%v after %d", err, n)
	}
}

// TestUnfinishedWrite cuts the file at every byte of the last two entries: what
// was whole is there, the rest is gone, and the journal goes on.
func TestUnfinishedWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, dir, journal.Options{})
	add(t, j, "one", "two", "three")
	name := filepath.Join(dir, files(t, dir)[0])
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	ends := []int{16, 16 + 12 + 3, 16 + 2*(12+3), len(whole)}
	for cut := range len(whole) {
		for _, garbage := range []string{"", strings.Repeat("\x00", 30), "\x00\x00\x00\x01garbage"} {
			at := t.TempDir()
			if err := os.WriteFile(filepath.Join(at, filepath.Base(name)), append(bytes.Clone(whole[:cut]), garbage...), 0o600); err != nil {
				t.Fatal(err)
			}
			if garbage != "" && cut < 16 {
				continue // no segment of ours: see TestDamage
			}
			j, err := reopen(t, at, journal.Options{}, 0, nil)
			if err != nil {
				t.Fatalf("cut at %d: %v", cut, err)
			}
			kept := 0
			for _, end := range ends[1:] {
				if cut >= end {
					kept++
				}
			}
			add(t, j, "next")
			got, _ := read(t, j, 0)
			if want := append([]string{"one", "two", "three"}[:kept:kept], "next"); !slices.Equal(got, want) {
				t.Fatalf("cut at %d with %q behind: %q, want %q", cut, garbage, got, want)
			}
		}
	}
}

// TestDamage flips each byte of an entry in front of others: nothing is read
// that was not written, and nothing is passed over in silence.
func TestDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, dir, journal.Options{})
	add(t, j, "one", "two", "three")
	name := files(t, dir)[0]
	whole, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	for at := range 16 + 12 + 3 {
		where := t.TempDir()
		b := bytes.Clone(whole)
		b[at] ^= 0x40
		if err := os.WriteFile(filepath.Join(where, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := reopen(t, where, journal.Options{}, 0, nil); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("byte %d flipped: %v", at, err)
		}
	}
}

// TestDamageWhileOpen: what changes under our hands is not read as if it were ours.
func TestDamageWhileOpen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, dir, journal.Options{})
	add(t, j, "one", "two")
	name := filepath.Join(dir, files(t, dir)[0])
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	b[16+12] ^= 1
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := j.Read(0, func(int64, []byte) error { return nil }); err == nil {
		t.Fatal("read it")
	}
}

// TestMissingSegment: what is said to be damaged can be taken away, and all
// other entries are there; those that waited in it are named.
func TestMissingSegment(t *testing.T) {
	t.Parallel()
	for seen, missing := range map[int64][]journal.Range{0: {{First: 2, Last: 2}}, 1: {{First: 2, Last: 2}}, 2: nil, 3: nil} {
		dir := t.TempDir()
		j := open(t, dir, journal.Options{Segment: 1})
		add(t, j, "one", "two", "three", "four")
		name := filepath.Join(dir, files(t, dir)[1])
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		b[20] ^= 1
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := reopen(t, dir, journal.Options{}, seen, nil); (err == nil) != (seen >= 2) || err != nil && !strings.Contains(err.Error(), filepath.Base(name)) {
			t.Fatalf("seen %d: %v", seen, err)
		}
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
		j, err = reopen(t, dir, journal.Options{}, seen, nil)
		if err != nil || !slices.Equal(j.Missing, missing) {
			t.Fatalf("seen %d: %v, missing %v", seen, err, j.Missing)
		}
		for after := range int64(5) {
			var got []string
			if err := j.Read(after, func(_ int64, body []byte) error { got = append(got, string(body)); return nil }); err != nil {
				t.Fatalf("after %d: %v", after, err)
			}
			want := []string{"one", "three", "four"}
			if after > 0 {
				want = want[min(max(after-1, 1), 3):]
			}
			if !slices.Equal(got, want) {
				t.Fatalf("after %d: %q, want %q", after, got, want)
			}
		}
	}
}

// TestSegmentBeingMade: a power cut may leave the name of a new segment and not
// what was written to it.
func TestSegmentBeingMade(t *testing.T) {
	t.Parallel()
	for _, head := range []string{"", "hksj", strings.Repeat("\x00", 16)} {
		dir := t.TempDir()
		j := open(t, dir, journal.Options{})
		add(t, j, "one")
		if err := os.WriteFile(filepath.Join(dir, "0000000000000000002.journal"), []byte(head), 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := reopen(t, dir, journal.Options{}, 0, nil)
		if err != nil {
			t.Fatalf("%q: %v", head, err)
		}
		add(t, j, "two")
		if got, _ := read(t, j, 0); !slices.Equal(got, []string{"one", "two"}) {
			t.Fatalf("read %q", got)
		}
	}
}

// TestEntryThatLooksLikeAnother: the bytes of an entry are a sender's. An
// unfinished one that holds the record of its successor is no damage.
func TestEntryThatLooksLikeAnother(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, dir, journal.Options{})
	add(t, j, "one", string(journal.Record(3, "three"))+"and more")
	name := filepath.Join(dir, files(t, dir)[0])
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b[:len(b)-4], 0o600); err != nil {
		t.Fatal(err)
	}
	j, err = reopen(t, dir, journal.Options{}, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := read(t, j, 0); !slices.Equal(got, []string{"one"}) {
		t.Fatalf("read %q", got)
	}
}

func TestProbe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, dir, journal.Options{})
	add(t, j, "one")
	if err := j.Probe(); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Fatalf("left %v, %v", entries, err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := j.Probe(); err == nil {
		t.Fatal("could write where there is no directory")
	}
}

// TestFailedWrite: after a write that failed halfway the journal goes on, and
// what was written beyond the failure is not taken for an entry.
func TestFailedWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, dir, journal.Options{})
	add(t, j, "one")
	first := files(t, dir)[0]
	journal.Fail(j)
	if _, err := j.Append([]byte("lost")); err == nil {
		t.Fatal("appended to a closed file")
	}
	// What the kernel kept of it, whole by chance.
	f, err := os.OpenFile(filepath.Join(dir, first), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(journal.Record(2, "lost")); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	add(t, j, "two", "three")
	for range 2 {
		if got, _ := read(t, j, 0); !slices.Equal(got, []string{"one", "two", "three"}) {
			t.Fatalf("read %q", got)
		}
		if j, err = reopen(t, dir, journal.Options{}, 0, nil); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPrune(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, dir, journal.Options{Segment: 1})
	add(t, j, "a", "b", "c", "d")
	later, size := time.Now().Add(time.Hour), j.Size()
	for _, c := range []struct {
		upTo   int64
		before time.Time
		most   int64
		gone   int
	}{
		{0, later, 0, 0},
		{4, time.Time{}, size, 0},
		{1, time.Time{}, size - 1, 1}, // too large
		{2, later, size, 1},           // too old
		{4, later, 0, 1},              // the last stays
	} {
		if n, err := j.Prune(c.upTo, c.before, c.most); n != c.gone || err != nil {
			t.Fatalf("up to %d: %d gone, %v", c.upTo, n, err)
		}
	}
	if got, first := read(t, j, 0); !slices.Equal(got, []string{"d"}) || first != 4 {
		t.Fatalf("left %q from %d", got, first)
	}
	j, err := reopen(t, dir, journal.Options{Least: 2}, 4, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := j.Append([]byte("e")); n != 5 || err != nil {
		t.Fatalf("next is %d, %v", n, err)
	}
}

func TestEntrySize(t *testing.T) {
	t.Parallel()
	j := open(t, t.TempDir(), journal.Options{})
	for _, body := range [][]byte{nil, {}, make([]byte, journal.MaxEntry+1)} {
		if _, err := j.Append(body); err == nil {
			t.Errorf("took an entry of %d bytes", len(body))
		}
	}
	add(t, j, "one")
	if got, first := read(t, j, 0); len(got) != 1 || first != 1 {
		t.Fatalf("read %q from %d", got, first)
	}
}

func TestForeignFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "notes.journal"), []byte("hello, this is somebody else's"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := reopen(t, dir, journal.Options{}, 0, nil); err == nil || !strings.Contains(err.Error(), "notes.journal") {
		t.Fatalf("opened: %v", err)
	}
}

// TestReadersWhileAppending: readers see what Append has returned, always as a
// run without gaps.
func TestReadersWhileAppending(t *testing.T) {
	t.Parallel()
	j := open(t, t.TempDir(), journal.Options{Segment: 500})
	var readers sync.WaitGroup
	const n = 100
	for range 3 {
		readers.Go(func() {
			for after := int64(0); after < n; {
				durable := j.Next() - 1
				last := after
				err := j.Read(after, func(number int64, body []byte) error {
					if number != last+1 || binary.BigEndian.Uint64(body) != uint64(number) {
						return fmt.Errorf("entry %d after %d holds %x", number, last, body)
					}
					last = number
					return nil
				})
				if err != nil {
					t.Error(err)
					return
				}
				if last < durable {
					t.Errorf("read up to %d of %d", last, durable)
					return
				}
				after = last
			}
		})
	}
	for i := range int64(n) {
		if _, err := j.Append(binary.BigEndian.AppendUint64(nil, uint64(i+1))); err != nil {
			t.Fatal(err)
		}
	}
	readers.Wait()
}

// TestAnyEnd: whatever bytes are behind the last entry, opening says either
// what was appended or that something is wrong.
func TestAnyEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	j := open(t, dir, journal.Options{})
	add(t, j, "one", "two")
	name := files(t, dir)[0]
	whole, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(r *rapid.T) {
		where, err := os.MkdirTemp(dir, "")
		if err != nil {
			r.Fatal(err)
		}
		tail := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(r, "tail")
		if err := os.WriteFile(filepath.Join(where, name), append(bytes.Clone(whole), tail...), 0o600); err != nil {
			r.Fatal(err)
		}
		j, err := reopen(t, where, journal.Options{}, 0, nil)
		if err != nil {
			r.Fatal(err)
		}
		if got, _ := read(t, j, 0); !slices.Equal(got, []string{"one", "two"}) || j.Cut != int64(len(tail)) {
			r.Fatalf("read %q, cut %d of %d", got, j.Cut, len(tail))
		}
	})
}
