package kept

import (
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// full is a file on a disk that has room for half of what is written.
type full struct {
	file
	stuck bool // it cannot be made shorter either
}

func (f full) Write(b []byte) (int, error) {
	n, _ := f.file.Write(b[:len(b)/2])
	return n, syscall.ENOSPC
}

func (f full) Truncate(size int64) error {
	if f.stuck {
		return syscall.EIO
	}
	return f.file.Truncate(size)
}

// A line that a full disk has torn takes no later one, which was acknowledged, with it.
func TestAFullDiskTearsNoLaterLine(t *testing.T) {
	for stuck, want := range map[bool][]string{false: {"one", "three"}, true: {"one", "tw", "three"}} {
		path := filepath.Join(t.TempDir(), "lines")
		k, err := Open(path, 1<<20, func([]byte) {})
		if err != nil {
			t.Fatal(err)
		}
		add := func(line string) error { return k.Append([][]byte{[]byte(line)}) }
		if err := add("one"); err != nil {
			t.Fatal(err)
		}
		disk := k.f
		k.f = full{disk, stuck}
		if add("two") == nil {
			t.Error("half a line was acknowledged")
		}
		k.f = disk
		if err := add("three"); err != nil {
			t.Fatal(err)
		}
		if err := k.Close(); err != nil {
			t.Fatal(err)
		}
		var got []string
		again, err := Open(path, 1<<20, func(line []byte) { got = append(got, string(line)) })
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("stuck %v: %q, %v", stuck, got, err)
		}
		if err == nil {
			_ = again.Close()
		}
	}
}
