package testenv

import (
	"bytes"
	"net"
	"strconv"
	"testing"
	"time"
)

// RedisServer is a redis-server that a test owns.
type RedisServer struct {
	service
	URL string // redis://host:port/0
}

// Redis starts a redis-server that writes every command to its append-only file
// before it answers (appendfsync always), with an empty data directory. Extra
// arguments come last and so win, for example "--maxmemory", "2mb".
func Redis(t testing.TB, extraArgs ...string) *RedisServer {
	t.Helper()
	bin := Need(t, "redis-server")
	r := &RedisServer{}
	r.name, r.dir, r.ready = "redis-server", t.TempDir(), redisAnswers
	r.argv = func(port int) []string {
		return append([]string{bin,
			"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", r.dir, "--daemonize", "no",
			"--appendonly", "yes", "--appendfsync", "always", "--save", "",
		}, extraArgs...)
	}
	startService(t, &r.service)
	r.URL = "redis://" + r.Addr() + "/0"
	return r
}

// redisAnswers sends a PING. A server that wants a password answers with
// -NOAUTH, which is an answer; one that is still reading its file says -LOADING.
func redisAnswers(addr string) bool {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Second)) // a dead connection fails below
	if _, err := c.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	reply := make([]byte, 64)
	n, err := c.Read(reply)
	return err == nil && !bytes.HasPrefix(reply[:n], []byte("-LOADING"))
}
