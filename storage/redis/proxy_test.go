package redis_test

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
)

// proxy stands between a store and its server and loses answers: the server
// carries out what was sent, and nobody hears of it.
type proxy struct {
	addr   string
	target string
	ln     net.Listener
	wg     sync.WaitGroup

	mu     sync.Mutex
	match  []byte // a request with this in it is the one
	silent bool   // the connection stays open and says nothing
	lost   int
	conns  map[net.Conn]bool
	closed bool
}

func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{addr: ln.Addr().String(), target: target, ln: ln, conns: map[net.Conn]bool{}}
	p.wg.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

func (p *proxy) close() {
	p.ln.Close()
	p.mu.Lock()
	p.closed = true
	for c := range p.conns {
		c.Close()
	}
	p.mu.Unlock()
	p.wg.Wait()
}

// lose makes the answer to the next request with match in it get lost.
func (p *proxy) lose(match string, silent bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.match, p.silent, p.lost = []byte(match), silent, 0
}

func (p *proxy) losses() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost
}

func (p *proxy) accept() {
	for {
		client, err := p.ln.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.target)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		if p.closed {
			client.Close()
			server.Close()
		}
		p.conns[client], p.conns[server] = true, true
		p.mu.Unlock()
		l := &link{p: p, client: client, server: server}
		p.wg.Go(l.up)
		p.wg.Go(l.down)
	}
}

// link is one connection.
type link struct {
	p              *proxy
	client, server net.Conn
	mu             sync.Mutex
	doomed, silent bool
}

func (l *link) up() {
	defer l.server.Close()
	buf := make([]byte, 1<<20)
	for {
		n, err := l.client.Read(buf)
		if n > 0 {
			l.p.mu.Lock()
			if len(l.p.match) > 0 && bytes.Contains(buf[:n], l.p.match) {
				l.mu.Lock()
				l.doomed, l.silent = true, l.p.silent
				l.mu.Unlock()
				l.p.match = nil
				l.p.lost++
			}
			l.p.mu.Unlock()
			if _, err := l.server.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (l *link) down() {
	defer l.client.Close()
	buf := make([]byte, 1<<16)
	for {
		n, err := l.server.Read(buf)
		l.mu.Lock()
		doomed, silent := l.doomed, l.silent
		l.mu.Unlock()
		switch {
		case n > 0 && doomed && silent:
			_, _ = io.Copy(io.Discard, l.server) // until somebody closes it
			return
		case n > 0 && doomed:
			return
		case n > 0:
			if _, err := l.client.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
