package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// subject is what is measured.
type subject string

const (
	sqlite       subject = "sqlite"       // Hikeshi over its embedded store
	redis        subject = "redis"        // Hikeshi over a Redis that fsyncs every write
	alertmanager subject = "alertmanager" // the peer
)

const (
	alertmanagerProgram = "prometheus-alertmanager"
	redisProgram        = "redis-server"
)

// target is one server under load: a subject's processes and where they listen.
type target struct {
	subject subject
	addr    string
	dir     string
	lab     *lab
	main    *process
	redis   *process // of subject redis
	store   string   // where redis listens
	config  string   // of Alertmanager
}

// checkPrograms says what is missing. Without the peer there is nothing to
// compare with, which is said, not fatal.
func (l *lab) checkPrograms() error {
	if slices.Contains(l.stores, redis) {
		if _, err := exec.LookPath(redisProgram); err != nil {
			return fmt.Errorf("find %s: %w (apt-get install redis-server, or -stores sqlite)", redisProgram, err)
		}
	}
	if _, err := exec.LookPath(alertmanagerProgram); err != nil {
		l.out.note("no " + alertmanagerProgram + " here: nothing to compare with (apt-get install prometheus-alertmanager)")
	}
	binary, err := filepath.Abs(l.binary)
	if err != nil {
		return fmt.Errorf("find the binary: %w", err)
	}
	l.binary = binary
	return nil
}

// The configurations. Alertmanager gets a receiver that sends nothing, and so
// spends nothing on sending; Hikeshi has no such thing: it opens its rooms.
const hikeshiConfig = "grouping:\n  - name: load\n    group_by: [group]\n"

const quietPeer = "route: {receiver: nobody, group_by: [group]}\nreceivers: [{name: nobody}]\n"

// start gives a subject's server with nothing in it.
func (l *lab) start(ctx context.Context, s subject) (*target, error) {
	return l.startWith(ctx, s, quietPeer)
}

// startWith is start with another configuration for the peer.
func (l *lab) startWith(ctx context.Context, s subject, peer string) (*target, error) {
	if s == alertmanager {
		return l.startConfigured(ctx, s, peer)
	}
	return l.startConfigured(ctx, s, hikeshiConfig)
}

// startConfigured is start with a configuration of its own.
func (l *lab) startConfigured(ctx context.Context, s subject, text string) (*target, error) {
	l.made++
	t := &target{subject: s, lab: l, dir: filepath.Join(l.dir, fmt.Sprintf("%03d-%s", l.made, s))}
	if err := os.MkdirAll(t.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a directory: %w", err)
	}
	t.config = filepath.Join(t.dir, "config.yml")
	if err := os.WriteFile(t.config, []byte(text), 0o600); err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	if s == redis {
		if err := t.startRedis(ctx); err != nil {
			return nil, err
		}
	}
	if err := t.startMain(ctx); err != nil {
		t.stop()
		return nil, err
	}
	return t, nil
}

func (t *target) startRedis(ctx context.Context) error {
	if t.store == "" {
		addr, err := freeAddr()
		if err != nil {
			return err
		}
		t.store = addr
	}
	_, port, err := net.SplitHostPort(t.store)
	if err != nil {
		return fmt.Errorf("split %s: %w", t.store, err)
	}
	t.redis, err = startProcess("redis", t.dir, redisProgram, "--port", port, "--bind", "127.0.0.1", "--dir", t.dir,
		"--appendonly", "yes", "--appendfsync", "always", "--save", "")
	if err != nil {
		return err
	}
	return await(ctx, t.redis, func() bool {
		_, err := redisInfo(t.store, "server")
		return err == nil
	})
}

// startMain starts the server itself and waits until it is ready.
func (t *target) startMain(ctx context.Context) error {
	if t.addr == "" {
		addr, err := freeAddr()
		if err != nil {
			return err
		}
		t.addr = addr
	}
	data := filepath.Join(t.dir, "data")
	argv := []string{t.lab.binary, "serve", "--data", data, "--listen", t.addr, "--config", t.config}
	ready := "/readyz"
	switch t.subject {
	case redis:
		argv = append(argv, "--store", "redis://"+t.store+"/0")
	case alertmanager:
		argv = []string{alertmanagerProgram, "--config.file=" + t.config, "--storage.path=" + data,
			"--web.listen-address=" + t.addr, "--cluster.listen-address=", "--log.level=warn"}
		ready = "/-/ready"
	}
	var err error
	if t.main, err = startProcess(string(t.subject), t.dir, argv...); err != nil {
		return err
	}
	return await(ctx, t.main, func() bool { return t.status(ctx, ready) == http.StatusOK })
}

// await asks good again and again, as long as p lives and ctx lasts.
func await(ctx context.Context, p *process, good func() bool) error {
	for !good() {
		if p.ended() {
			return fmt.Errorf("%s ended: %s", p.name, p.tail())
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w: %s", p.name, ctx.Err(), p.tail())
		case <-time.After(2 * time.Millisecond):
		}
	}
	return nil
}

// stop ends the subject's processes, the server before its store.
func (t *target) stop() {
	for _, p := range []*process{t.main, t.redis} {
		if p != nil {
			p.stop()
		}
	}
}

func (t *target) processes() []*process {
	if t.redis != nil {
		return []*process{t.main, t.redis}
	}
	return []*process{t.main}
}

// cpu and rss are of all processes of the subject: Redis counts too.
func (t *target) cpu() (time.Duration, error) {
	var sum time.Duration
	for _, p := range t.processes() {
		d, err := p.cpu()
		if err != nil {
			return 0, err
		}
		sum += d
	}
	return sum, nil
}

func (t *target) rss() (int64, error) {
	var sum int64
	for _, p := range t.processes() {
		n, err := p.rss()
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// freeAddr is a loopback address that was free a moment ago.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	tcp, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return "", errors.New("a TCP listener has no TCP address")
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port)), nil
}
