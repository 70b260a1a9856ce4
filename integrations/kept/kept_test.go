package kept_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/hikeshi-ops/hikeshi/integrations/kept"
)

func TestTheLatestLinesAreKeptWithinTheBound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b")
	f, err := kept.Open(path, 10_000, func([]byte) { t.Error("there was nothing") })
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2000 {
		if err := f.Append([][]byte{[]byte(fmt.Sprintf("line %04d", i))}); err != nil {
			t.Fatal(err)
		}
	}
	if f.Append([][]byte{[]byte("two\nlines")}) == nil || f.Append([][]byte{bytes.Repeat([]byte("x"), kept.MaxLine)}) == nil {
		t.Error("a line that could not be read again was taken")
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	size := int64(0)
	for _, name := range []string{path, path + ".1"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	if size > 10_100 {
		t.Errorf("%d bytes are kept", size)
	}
	var got []string
	again, err := kept.Open(path, 10_000, func(line []byte) { got = append(got, string(line)) })
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if n := len(got); n < 500 || got[n-1] != "line 1999" || got[0] != fmt.Sprintf("line %04d", 2000-n) {
		t.Errorf("%d lines: %s … %s", n, got[0], got[n-1])
	}
}
