//go:build unix

package sqlite_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/storage/conformance"
	"github.com/hikeshi-ops/hikeshi/storage/sqlite"
)

// TestEarlierReleases (R34): the files that earlier releases wrote are read, and
// everything in them is there. Each release adds its own, made by
//
//	HIKESHI_STATE=v1 go test -run EarlierReleases ./storage/sqlite
func TestEarlierReleases(t *testing.T) {
	t.Parallel()
	if name := os.Getenv("HIKESHI_STATE"); name != "" {
		writeState(t, filepath.Join("testdata", "state", name))
	}
	files, err := filepath.Glob("testdata/state/*.db.gz")
	check(t, err)
	if len(files) == 0 {
		t.Fatal("there are no files")
	}
	for _, file := range files {
		packed, err := os.Open(file)
		check(t, err)
		defer packed.Close()
		unpacked, err := gzip.NewReader(packed)
		check(t, err)
		raw, err := io.ReadAll(unpacked)
		check(t, err)
		said, err := os.ReadFile(strings.TrimSuffix(file, ".db.gz") + ".said")
		check(t, err)
		dir := t.TempDir()
		check(t, os.WriteFile(filepath.Join(dir, sqlite.FileName), raw, 0o600))
		s := open(t, sqlite.Config{Dir: dir})
		conformance.Survived(t, s, string(said))
	}
}

func writeState(t *testing.T, path string) {
	t.Helper()
	dir := t.TempDir()
	s, err := sqlite.Open(t.Context(), sqlite.Config{Dir: dir, Shards: 2})
	check(t, err)
	var said bytes.Buffer
	check(t, conformance.Work(t.Context(), s, &said, 0, 12))
	check(t, s.Close())
	tamper(t, dir, `UPDATE once SET at = 4102444800000000000`) // the names stay taken until 2100
	tamper(t, dir, `VACUUM`)
	raw, err := os.ReadFile(filepath.Join(dir, sqlite.FileName))
	check(t, err)
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	check(t, err)
	_, err = z.Write(raw)
	check(t, err)
	check(t, z.Close())
	check(t, os.MkdirAll(filepath.Dir(path), 0o755))
	check(t, os.WriteFile(path+".db.gz", packed.Bytes(), 0o644))
	check(t, os.WriteFile(path+".said", said.Bytes(), 0o644))
}
