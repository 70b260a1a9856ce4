package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// Waiting between two tries to deliver.
const (
	firstPause    = 250 * time.Millisecond
	longestPause  = 10 * time.Second
	longestAsked  = time.Minute // of a Retry-After
	senderBacklog = 64
	postLimit     = 10 * time.Second
)

// A sender delivers messages one after the other, each until the target accepts
// or refuses it.
type sender struct {
	o      WatcherOptions
	client *http.Client
	log    *slog.Logger
	queue  chan episode
}

func newSender(o WatcherOptions, client *http.Client) *sender {
	return &sender{o: o, client: client, log: o.Log, queue: make(chan episode, senderBacklog)}
}

// send queues a message; when the backlog is full it waits for room.
func (s *sender) send(ctx context.Context, e episode) {
	select {
	case s.queue <- e:
	case <-ctx.Done():
	}
}

// idle says that nothing is queued, so that repeats do not pile up.
func (s *sender) idle() bool { return len(s.queue) == 0 }

func (s *sender) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-s.queue:
			s.deliver(ctx, e)
		}
	}
}

func (s *sender) deliver(ctx context.Context, e episode) {
	body, err := json.Marshal(e.webhook())
	if err != nil {
		s.log.Error("alert cannot be written as JSON", "alert", e.kind.name, "error", err)
		return
	}
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		code, asked, err := s.post(ctx, body)
		if err == nil && !retry(code) {
			s.answered(e, code)
			return
		}
		if ctx.Err() != nil {
			return
		}
		wait := max(asked, pause/2+rand.N(pause/2))
		s.log.Warn("alert not delivered yet", "alert", e.kind.name, "status", code, "error", err, "again_in", wait)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (s *sender) answered(e episode, code int) {
	log := s.log.Info
	if code >= 300 {
		log = s.log.Error // refused for good: an Alertmanager does not retry this either
	}
	log("alert delivered", "alert", e.kind.name, "state", e.status(), "status", code)
	if s.o.Told != nil {
		s.o.Told(Told{Alert: e.kind.name, Status: e.status(), Code: code})
	}
}

// retry says whether the same message may be accepted later.
func retry(code int) bool {
	return code >= 500 || code == http.StatusTooManyRequests || code == http.StatusRequestTimeout
}

// post returns the status and how long the target asked to be left alone.
func (s *sender) post(ctx context.Context, body []byte) (code int, asked time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, postLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.o.Target, bytes.NewReader(body))
	if err != nil {
		return 0, 0, fmt.Errorf("post the alert: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "hikeshi-demo-watcher")
	if s.o.Token != "" {
		req.Header.Set("Authorization", "Bearer "+s.o.Token)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, 0, fmt.Errorf("post the alert: %w", err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection can be used again
	return resp.StatusCode, retryAfter(resp.Header.Get("Retry-After"), time.Now()), nil
}

// retryAfter reads seconds or a date (RFC 9110, 10.2.3); 0 if there is none.
func retryAfter(header string, now time.Time) time.Duration {
	var d time.Duration
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		d = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), longestAsked)
}
