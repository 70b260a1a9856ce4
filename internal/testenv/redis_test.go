package testenv_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

// ask sends one inline command on a fresh connection and returns the first line
// of the reply; for a bulk string the line after its length.
func ask(t *testing.T, addr, command string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatalf("dial redis: %v", err)
	}
	defer c.Close()
	fmt.Fprintf(c, "%s\r\n", command)
	r := bufio.NewReader(c)
	line, err := r.ReadString('\n')
	if strings.HasPrefix(line, "$") && !strings.HasPrefix(line, "$-1") {
		line, err = r.ReadString('\n')
	}
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return strings.TrimSpace(line)
}

func TestRedisKeepsWhatItAcknowledgedOverAKill(t *testing.T) {
	t.Parallel()
	r := testenv.Redis(t)
	if got := ask(t, r.Addr(), "SET fire out"); got != "+OK" {
		t.Fatalf("SET = %q", got)
	}
	addr, pid := r.Addr(), r.Pid()
	r.Kill()
	if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
		t.Errorf("process %d after Kill: %v, want %v", pid, err, syscall.ESRCH)
	}
	if r.Pid() != 0 {
		t.Errorf("Pid = %d after Kill, want 0", r.Pid())
	}
	r.Restart()
	if r.Addr() != addr || r.Pid() == pid {
		t.Errorf("after Restart: %s pid %d; before: %s pid %d", r.Addr(), r.Pid(), addr, pid)
	}
	if got := ask(t, r.Addr(), "GET fire"); got != "out" {
		t.Errorf("GET after kill and restart = %q, want out", got)
	}
	if want := "redis://" + r.Addr() + "/0"; r.URL != want {
		t.Errorf("URL = %s, want %s", r.URL, want)
	}
}

func TestRedisStopsAndPauses(t *testing.T) {
	t.Parallel()
	r := testenv.Redis(t)
	r.Pause()
	r.Resume()
	if got := ask(t, r.Addr(), "PING"); got != "+PONG" {
		t.Errorf("PING after Resume = %q", got)
	}
	r.Stop()
	if c, err := net.Dial("tcp", r.Addr()); err == nil {
		c.Close()
		t.Error("something answers after Stop")
	}
}

func TestRedisExtraArgumentsWin(t *testing.T) {
	t.Parallel()
	r := testenv.Redis(t, "--appendonly", "no", "--requirepass", "secret")
	if got := ask(t, r.Addr(), "PING"); !strings.HasPrefix(got, "-NOAUTH") {
		t.Errorf("PING without the password = %q, want -NOAUTH", got)
	}
}

func TestManyRedisServersShareNoPort(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 4 {
		r := testenv.Redis(t)
		if seen[r.Addr()] {
			t.Fatalf("%s was given twice", r.Addr())
		}
		seen[r.Addr()] = true
		if got, want := ask(t, r.Addr(), "CONFIG GET dir"), "*2"; got != want {
			t.Errorf("CONFIG GET = %q, want %q", got, want)
		}
	}
}
