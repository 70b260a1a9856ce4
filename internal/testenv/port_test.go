package testenv

import (
	"net"
	"os"
	"os/exec"
	"testing"
)

// TestAStrangersPortIsNotOurs is the race that ownsPort is there for: the port
// answers, but somebody else listens on it.
func TestAStrangersPortIsNotOurs(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	if !ownsPort(os.Getpid(), port) {
		t.Error("our own listener is not recognised")
	}
	stranger := exec.Command("sleep", "60")
	p, err := run(stranger)
	if err != nil {
		t.Fatal(err)
	}
	defer p.kill()
	if ownsPort(stranger.Process.Pid, port) {
		t.Error("another process is taken for the owner")
	}
}

// TestATakenPortIsGivenUp starts a program on a port that is in use: the first
// try must fail and the next one, elsewhere, succeed.
func TestATakenPortIsGivenUp(t *testing.T) {
	t.Parallel()
	bin := Need(t, "redis-server")
	taken := Redis(t)
	tries := 0
	s := &service{name: "redis-server", dir: t.TempDir(), ready: redisAnswers}
	s.argv = func(port int) []string {
		if tries++; tries == 1 {
			s.port = taken.port // as if it was taken after the claim
		}
		_, p, _ := net.SplitHostPort(s.Addr())
		return []string{bin, "--port", p, "--bind", "127.0.0.1", "--dir", s.dir, "--save", ""}
	}
	startService(t, s)
	if tries != 2 || s.Addr() == taken.Addr() {
		t.Errorf("started on %s after %d tries; %s was taken", s.Addr(), tries, taken.Addr())
	}
}

func TestAClaimedPortIsNotGivenAgain(t *testing.T) {
	t.Parallel()
	port, release := claimPort(t)
	dir := t.TempDir()
	if _, ok := lockPort(dir, port); ok {
		t.Error("a claimed port was given again")
	}
	release()
	again, ok := lockPort(dir, port)
	if !ok {
		t.Fatal("a released port stays claimed")
	}
	again()
}
