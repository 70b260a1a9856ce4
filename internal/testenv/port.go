package testenv

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
)

// Ports come from below the range that Linux hands out to clients and to
// listeners on port 0 (32768 and up by default, net.ipv4.ip_local_port_range),
// so that a program which is down for a moment can have its port back.
const (
	firstPort = 20000
	lastPort  = 31999
)

var (
	claimsMu sync.Mutex
	claims   = map[int]bool{}
)

// claimPort returns a port that nobody listens on and that no other test of
// this machine's user is given until the returned function is called. Between
// test binaries a lock on a file keeps it; the kernel drops that lock even when
// a test binary is killed.
func claimPort(t testing.TB) (int, func()) {
	t.Helper()
	dir := filepath.Join(os.TempDir(), "hikeshi-testenv-"+strconv.Itoa(os.Getuid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatalf("make the directory of port claims: %v", err)
	}
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		release, ok := lockPort(dir, port)
		if !ok {
			continue
		}
		if portIsFree(port) {
			return port, release
		}
		release()
	}
	t.Fatalf("found no free port between %d and %d", firstPort, lastPort)
	return 0, nil
}

// Port is a port on this machine that is the test's alone until it ends, for a
// program that the test starts by itself, and stops and starts again.
func Port(t testing.TB) int {
	t.Helper()
	port, release := claimPort(t)
	t.Cleanup(release)
	return port
}

func lockPort(dir string, port int) (release func(), ok bool) {
	claimsMu.Lock()
	defer claimsMu.Unlock()
	if claims[port] {
		return nil, false
	}
	f, err := os.OpenFile(filepath.Join(dir, strconv.Itoa(port)), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, false
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, false
	}
	claims[port] = true
	return func() {
		claimsMu.Lock()
		defer claimsMu.Unlock()
		delete(claims, port)
		f.Close()
	}, true
}

func portIsFree(port int) bool {
	l, err := net.Listen("tcp", loopback(port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
