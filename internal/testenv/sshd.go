package testenv

import (
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// SSHServer is an OpenSSH server that a test owns. It lets the test's own user in
// with one key and runs commands as that user.
type SSHServer struct {
	service
	User    string
	KeyFile string // the private key that it lets in
	HostKey string // its own public key: "ssh-ed25519 AAAA…"
	Port    int
}

// SSHD starts Debian's OpenSSH server with a configuration and keys of its own.
// Extra lines of configuration come first and so win, for example "MaxSessions 1". A
// shell finds an empty home, and not what whoever runs the tests has a shell do first.
func SSHD(t testing.TB, extra ...string) *SSHServer {
	t.Helper()
	bin, keygen := Need(t, "sshd"), Need(t, "ssh-keygen")
	if os.Getuid() == 0 { // sshd wants its empty directory, which only its unit makes
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatalf("make sshd's directory: %v", err)
		}
	}
	me, err := user.Current()
	if err != nil {
		t.Fatalf("find out who we are: %v", err)
	}
	s := &SSHServer{User: me.Username}
	s.name, s.dir, s.ready = "sshd", t.TempDir(), sshAnswers
	s.KeyFile = filepath.Join(s.dir, "client")
	hostKey := filepath.Join(s.dir, "host")
	for _, file := range []string{s.KeyFile, hostKey} {
		if out, err := exec.Command(keygen, "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file).CombinedOutput(); err != nil {
			t.Fatalf("make a key: %v\n%s", err, out)
		}
	}
	s.HostKey = readKey(t, hostKey+".pub")
	config := strings.Join(append(extra,
		"ListenAddress 127.0.0.1", "HostKey "+hostKey, "AuthorizedKeysFile "+s.KeyFile+".pub", "PidFile none",
		"StrictModes no", "UsePAM no", "PasswordAuthentication no", "KbdInteractiveAuthentication no",
		"PermitRootLogin prohibit-password", "AcceptEnv RB_*", "SetEnv HOME="+s.dir, "PrintMotd no", "UseDNS no", "MaxStartups 100", "",
	), "\n")
	file := filepath.Join(s.dir, "sshd_config")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatalf("write sshd's configuration: %v", err)
	}
	s.argv = func(port int) []string { return []string{bin, "-D", "-e", "-f", file, "-p", strconv.Itoa(port)} }
	startService(t, &s.service)
	s.Port = s.port
	return s
}

func readKey(t testing.TB, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("read a key: %v", err)
	}
	return strings.TrimSpace(string(b))
}

// sshAnswers reads the line with which every server begins (RFC 4253, 4.2).
func sshAnswers(addr string) bool {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Second)) // a dead connection fails below
	line := make([]byte, 8)
	n, err := c.Read(line)
	return err == nil && strings.HasPrefix(string(line[:n]), "SSH-2.0")
}
