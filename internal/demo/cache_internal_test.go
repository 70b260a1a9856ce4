package demo

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCacheKeepsTheNewestReceipts(t *testing.T) {
	t.Parallel()
	c := &cache{dir: t.TempDir(), quota: 1 << 20}
	for i := range keepReceipts + 10 {
		if err := c.put(fmt.Sprintf("receipt-%03d", i), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(c.dir)
	if err != nil || len(entries) != keepReceipts || entries[0].Name() != "receipt-010" {
		t.Errorf("%d files from %s on, %v; want %d from receipt-010 on", len(entries), entries[0].Name(), err, keepReceipts)
	}
}

func TestLogFileHasALimit(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	l, err := openLog(path, 100)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	line := strings.Repeat("x", 39) + "\n"
	for range 7 {
		if n, err := l.Write([]byte(line)); n != len(line) || err != nil {
			t.Fatalf("Write = %d, %v", n, err)
		}
	}
	now, err := os.ReadFile(path)
	if err != nil || string(now) != line {
		t.Errorf("the log has %d bytes, %v; want one line", len(now), err)
	}
	before, err := os.ReadFile(path + ".1")
	if err != nil || string(before) != line+line {
		t.Errorf("the log before has %d bytes, %v; want two lines", len(before), err)
	}
}

func TestBreakingIsForThisMachine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, host, header string
		want               bool
	}{
		{"127.0.0.1:5", "127.0.0.1:80", "", true},
		{"[::1]:5", "[::1]:80", "", true},
		{"127.9.9.9:5", "localhost:80", "", true},
		{"[::ffff:127.0.0.1]:5", "127.0.0.1", "", true},
		{"192.0.2.1:5", "127.0.0.1:80", "", false},
		{"127.0.0.1:5", "evil.example:80", "", false},
		{"127.0.0.1:5", "127.0.0.1:80", "X-Forwarded-For", false},
		{"nonsense", "127.0.0.1:80", "", false},
	} {
		r := httptest.NewRequest("POST", "/break?how=slow", nil)
		r.RemoteAddr, r.Host = c.from, c.host
		if c.header != "" {
			r.Header.Set(c.header, "192.0.2.1")
		}
		if got := fromLoopback(r); got != c.want {
			t.Errorf("from %s to %s %s: %v, want %v", c.from, c.host, c.header, got, c.want)
		}
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0 B", 512: "512 B", 1536: "1.5 KiB", 8 << 20: "8.0 MiB", 5 << 30: "5.0 GiB"} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %s, want %s", n, got, want)
		}
	}
}
