package demo

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Traffic is customers: they look at the shop's page and buy. Set URL and call
// Run; the other fields have defaults.
type Traffic struct {
	URL       string  // of the shop, http://host:port
	PerSecond float64 // visits a second; default 4
	Patience  time.Duration
	Rand      *rand.Rand // decides who looks and who buys; default: random

	client                  *http.Client
	sent, ok, failed, stood atomic.Int64
}

// TrafficStats counts visits since the beginning. Skipped are those that did not
// happen because the shop kept too many others waiting.
type TrafficStats struct{ Sent, OK, Failed, Skipped int64 }

// crowd is how many customers wait at the same time, at most.
const crowd = 64

// Stats may be called at any time.
func (t *Traffic) Stats() TrafficStats {
	return TrafficStats{t.sent.Load(), t.ok.Load(), t.failed.Load(), t.stood.Load()}
}

// Run sends customers until the context ends, waits for the last one and returns
// nil.
func (t *Traffic) Run(ctx context.Context) error {
	if t.PerSecond <= 0 {
		t.PerSecond = 4
	}
	if t.Patience <= 0 {
		t.Patience = 10 * time.Second
	}
	if t.Rand == nil {
		t.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	transport := &http.Transport{MaxIdleConnsPerHost: crowd}
	defer transport.CloseIdleConnections()
	t.client = &http.Client{Transport: transport}
	var waiting sync.WaitGroup
	defer waiting.Wait()
	places := make(chan struct{}, crowd)
	tick := time.NewTicker(time.Duration(float64(time.Second) / t.PerSecond))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		look, p := t.Rand.IntN(4) == 0, products[t.Rand.IntN(len(products))]
		select {
		case places <- struct{}{}:
			waiting.Go(func() {
				defer func() { <-places }()
				t.visit(ctx, look, p)
			})
		default:
			t.stood.Add(1)
		}
	}
}

func (t *Traffic) visit(ctx context.Context, look bool, p product) {
	ctx, cancel := context.WithTimeout(ctx, t.Patience)
	defer cancel()
	method, path, body := http.MethodPost, "/checkout", url.Values{"product": {p.ID}}.Encode()
	if look {
		method, path, body = http.MethodGet, "/", ""
	}
	req, err := http.NewRequestWithContext(ctx, method, t.URL+path, strings.NewReader(body))
	t.sent.Add(1)
	if err != nil {
		t.failed.Add(1)
		return
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := t.client.Do(req)
	if err != nil {
		t.failed.Add(1)
		return
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.failed.Add(1)
		return
	}
	t.ok.Add(1)
}
