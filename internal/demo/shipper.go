package demo

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Shipper sends what the shop writes into its log, as Fluent Bit would.
type Shipper struct {
	Dir string // the shop's
	URL string // "http://127.0.0.1:8080/v1/logs"
}

const (
	shipEvery = 300 * time.Millisecond
	shipMost  = 512 << 10 // bytes of log in one body
)

// Run sends until ctx ends. What could not be sent is sent again.
func (s *Shipper) Run(ctx context.Context) error {
	tick := time.NewTicker(shipEvery)
	defer tick.Stop()
	client := &http.Client{Timeout: 5 * time.Second}
	defer client.CloseIdleConnections()
	var at int64
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		lines, next, err := linesFrom(filepath.Join(s.Dir, logName), at)
		if err != nil {
			return err
		}
		if len(lines) == 0 {
			at = next
			continue
		}
		if s.send(ctx, client, lines) == nil {
			at = next
		}
	}
}

// linesFrom reads whole lines from there on; from the beginning where the file
// has become another one.
func linesFrom(path string, at int64) (lines []string, next int64, err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, at, nil
	}
	if err != nil {
		return nil, at, fmt.Errorf("read the shop's log: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, at, fmt.Errorf("read the shop's log: %w", err)
	}
	if info.Size() < at {
		at = 0
	}
	r := bufio.NewReader(io.NewSectionReader(f, at, shipMost))
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return lines, at, nil // the rest of a line comes later
		}
		at += int64(len(line))
		lines = append(lines, strings.TrimSpace(line))
	}
}

func (s *Shipper) send(ctx context.Context, client *http.Client, lines []string) error {
	var body bytes.Buffer
	to := json.NewEncoder(&body)
	for _, l := range lines {
		if err := to.Encode(map[string]string{"service": "shop", "host": "shop-1", "message": l}); err != nil {
			return fmt.Errorf("encode a line: %w", err)
		}
	}
	return Tell(ctx, client, s.URL, body.Bytes())
}

// Tell posts JSON, and wants to hear that it was taken.
func Tell(ctx context.Context, client *http.Client, url string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("post to %s: %w", url, err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("post to %s: %w", url, err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("post to %s: %s", url, resp.Status)
	}
	return nil
}
