package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// sender is one keep-alive connection that sends alerts. It writes HTTP/1.1 by
// hand because net/http's client would cost the machine as much as a server.
type sender struct {
	addr  string
	conn  net.Conn
	r     *bufio.Reader
	body  *body
	bytes []byte // the request, of which body writes the body
}

func newSender(addr string, b *body) *sender {
	return &sender{addr: addr, body: b, bytes: b.frame(addr)}
}

// deadline bounds one POST.
const deadline = 30 * time.Second

// send sends the request as it is now and returns the status.
func (s *sender) send() (int, error) {
	if s.conn == nil {
		c, err := net.DialTimeout("tcp", s.addr, 5*time.Second)
		if err != nil {
			return 0, fmt.Errorf("connect: %w", err)
		}
		s.conn, s.r = c, bufio.NewReader(c)
	}
	_ = s.conn.SetDeadline(time.Now().Add(deadline)) // a dead connection fails below
	status, hangUp, err := s.exchange()
	if err != nil || hangUp {
		s.close()
	}
	return status, err
}

func (s *sender) exchange() (status int, hangUp bool, err error) {
	if _, err := s.conn.Write(s.bytes); err != nil {
		return 0, true, fmt.Errorf("send: %w", err)
	}
	line, err := s.r.ReadSlice('\n')
	if err != nil {
		return 0, true, fmt.Errorf("read the status: %w", err)
	}
	if status, err = readStatus(line); err != nil {
		return 0, true, err
	}
	length := 0
	for {
		line, err := s.r.ReadSlice('\n')
		if err != nil {
			return 0, true, fmt.Errorf("read a header: %w", err)
		}
		name, value, found := bytes.Cut(bytes.TrimSpace(line), []byte(":"))
		switch {
		case !found:
			_, err := s.r.Discard(length)
			if err != nil {
				err = fmt.Errorf("read the answer: %w", err)
			}
			return status, hangUp, err
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, true, errAnswer
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			return 0, true, errAnswer // nobody does that for an answer of a few bytes
		case bytes.EqualFold(name, []byte("Connection")):
			hangUp = true
		}
	}
}

var errAnswer = errors.New("the answer is not understood")

func readStatus(line []byte) (int, error) {
	if len(line) < len("HTTP/1.1 200") {
		return 0, errAnswer
	}
	n, err := strconv.Atoi(string(line[9:12]))
	if err != nil {
		return 0, errAnswer
	}
	return n, nil
}

func (s *sender) close() {
	if s.conn != nil {
		_ = s.conn.Close()
		s.conn = nil
	}
}
