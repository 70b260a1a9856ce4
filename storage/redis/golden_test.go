package redis_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/internal/testenv"
	"github.com/hikeshi-ops/hikeshi/storage/conformance"
)

// TestEarlierReleases (R34): what earlier releases wrote is read, and everything
// in it is there. Each release adds the commands that its server kept, made by
//
//	HIKESHI_STATE=v1 go test -run EarlierReleases ./storage/redis
func TestEarlierReleases(t *testing.T) {
	t.Parallel()
	if name := os.Getenv("HIKESHI_STATE"); name != "" {
		writeState(t, filepath.Join("testdata", "state", name))
	}
	files, err := filepath.Glob("testdata/state/*.aof.gz")
	check(t, err)
	if len(files) == 0 {
		t.Fatal("there are no files")
	}
	for _, file := range files {
		packed, err := os.Open(file)
		check(t, err)
		defer packed.Close()
		commands, err := gzip.NewReader(packed)
		check(t, err)
		said, err := os.ReadFile(strings.TrimSuffix(file, ".aof.gz") + ".said")
		check(t, err)
		server := testenv.Redis(t)
		replay(t, server.Addr(), commands)
		conformance.Survived(t, openURL(t, server.URL, 0), string(said))
	}
}

// replay sends commands as they stand in an append-only file.
func replay(t *testing.T, addr string, commands io.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	check(t, err)
	defer conn.Close()
	go func() {
		_, _ = io.Copy(conn, commands) // what is missing then shows below
		_, _ = conn.Write([]byte("ECHO that-was-all\r\n"))
	}()
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		if line := lines.Text(); line == "that-was-all" {
			return
		} else if strings.HasPrefix(line, "-") {
			t.Fatalf("replay: %s", line)
		}
	}
	t.Fatal("replay: cut short")
}

var expiry = regexp.MustCompile(`(?i)PXAT\r\n\$13\r\n\d{13}`)

func writeState(t *testing.T, path string) {
	t.Helper()
	server := testenv.Redis(t)
	s := openURL(t, server.URL, 2)
	var said bytes.Buffer
	check(t, conformance.Work(t.Context(), s, &said, 0, 12))
	server.Stop()
	files, err := filepath.Glob(filepath.Join(server.Dir(), "appendonlydir", "*.incr.aof"))
	check(t, err)
	if len(files) != 1 {
		t.Fatalf("append-only files: %v", files)
	}
	raw, err := os.ReadFile(files[0])
	check(t, err)
	raw = expiry.ReplaceAll(raw, []byte("PXAT\r\n$$13\r\n4102444800000")) // the names stay taken until 2100
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	check(t, err)
	_, err = z.Write(raw)
	check(t, err)
	check(t, z.Close())
	check(t, os.MkdirAll(filepath.Dir(path), 0o755))
	check(t, os.WriteFile(path+".aof.gz", packed.Bytes(), 0o644))
	check(t, os.WriteFile(path+".said", said.Bytes(), 0o644))
}
