package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// remedySteps is how many steps one remedy has: as many as a runbook may.
const remedySteps = 32

// A tread is the server that the steps of a remedy call. It notes when each call came and
// answers at once, so what lies between two calls is what the caller needed.
type tread struct {
	server *httptest.Server
	mu     sync.Mutex
	calls  []time.Time
}

func newTread() *tread {
	tr := &tread{}
	tr.server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			tr.mu.Lock()
			tr.calls = append(tr.calls, time.Now())
			tr.mu.Unlock()
		}
	}))
	return tr
}

// gaps are the times between the calls since it was asked last.
func (tr *tread) gaps() []time.Duration {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	var all []time.Duration
	for i := 1; i < len(tr.calls); i++ {
		all = append(all, tr.calls[i].Sub(tr.calls[i-1]))
	}
	tr.calls = nil
	return all
}

// bare is what the same calls need without Hikeshi: one after the other, each over a
// connection of its own, as its executor of http steps makes them.
func (tr *tread) bare(ctx context.Context, n int) ([]time.Duration, error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{}).DialContext}}
	for range n + 1 {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, tr.server.URL+"/step", http.NoBody)
		if err != nil {
			return nil, fmt.Errorf("make a request: %w", err)
		}
		resp, err := client.Do(r)
		if err != nil {
			return nil, fmt.Errorf("call the step's server: %w", err)
		}
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("read its answer: %w", err)
		}
	}
	return tr.gaps(), nil
}

// measureRemedy carries out approved runs of many steps, one run after the other, and says
// how many steps a second that makes, and what a step costs beyond the call itself: its
// intent and its outcome in the audit, durable, and all that is asked and cleaned.
func measureRemedy(ctx context.Context, l *lab) error {
	tr := newTread()
	defer tr.server.Close()
	dir := filepath.Join(l.dir, "remedy")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make a directory: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tread.yaml"), []byte(treadBook(tr.server.URL)), 0o600); err != nil {
		return fmt.Errorf("write the runbook: %w", err)
	}
	config := fmt.Sprintf("grouping: [{name: each, group_by: [service]}]\nrunbooks: {paths: [%q]}\n", dir)
	for _, s := range l.stores {
		bare, err := tr.bare(ctx, l.size.remedies*(remedySteps-1))
		if err != nil {
			return err
		}
		t, err := l.startConfigured(ctx, s, config)
		if err != nil {
			return err
		}
		gaps, err := t.remedies(ctx, tr)
		t.stop()
		if err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
		l.remedied(s, bare, gaps)
	}
	return nil
}

// remedied reports. A percentile of what is added is that of the whole less the median of
// the bare call, so that a slow bare call makes nothing look better.
func (l *lab) remedied(s subject, bare, gaps []time.Duration) {
	var sum time.Duration
	for _, gap := range gaps {
		sum += gap
	}
	slices.Sort(bare)
	slices.Sort(gaps)
	usual := percentile(bare, 50)
	l.out.add("remedy.rate", s, float64(len(gaps))/sum.Seconds(), "steps/s")
	l.out.add("remedy.bare_p50", s, ms(usual), "ms")
	l.out.add("remedy.added_p50", s, ms(percentile(gaps, 50)-usual), "ms")
	l.out.add("remedy.added_p99", s, ms(percentile(gaps, 99)-usual), "ms")
}

func treadBook(url string) string {
	var b strings.Builder
	b.WriteString("id: tread\ntitle: {en: Tread, ja: 踏む}\nfits: ['service=~\"remedy.*\"']\nrisk: low\nrecover:\n")
	for i := range remedySteps {
		fmt.Fprintf(&b, "  - {id: s%d, http: {method: POST, url: '%s/step'}}\n", i, url)
	}
	fmt.Fprintf(&b, "verify: {steps: [{http: {url: '%s/well'}}], alerts: ignore, stable: 1s, within: 1m}\nescalate: {en: Call somebody., ja: 連絡する。}\n", url)
	return b.String()
}

// remedies are alerts, each with its incident, its approval and its run.
func (t *target) remedies(ctx context.Context, tr *tread) (gaps []time.Duration, err error) {
	for i := range t.lab.size.remedies {
		body := fmt.Sprintf(`{"title":"Something is wrong","service":"remedy%d"}`, i)
		if code, answer, err := t.post(ctx, "/v1/alerts/generic", body); err != nil || code/100 != 2 {
			return nil, fmt.Errorf("send an alert: %d %.200s: %w", code, answer, err)
		}
		path := fmt.Sprintf("/api/v1/incidents/%d", i+1)
		err := t.wait(ctx, func() (bool, error) {
			code, answer, err := t.post(ctx, path+"/commands", `{"command":"approve tread"}`)
			return code == http.StatusOK || err != nil || code >= 500, orServerError(code, answer, err)
		})
		if err != nil {
			return nil, err
		}
		var one struct {
			Incident struct{ Runs []struct{ State string } }
		}
		err = t.wait(ctx, func() (bool, error) {
			err := t.getJSON(ctx, path, &one)
			return err == nil && len(one.Incident.Runs) > 0 && one.Incident.Runs[0].State != "approved" && one.Incident.Runs[0].State != "running", err
		})
		if err != nil {
			return nil, err
		}
		some := tr.gaps()
		if len(some) != remedySteps-1 {
			return nil, fmt.Errorf("run %d is %s after %d steps of %d", i+1, one.Incident.Runs[0].State, len(some)+1, remedySteps)
		}
		gaps = append(gaps, some...)
	}
	return gaps, nil
}

func orServerError(code int, answer []byte, err error) error {
	if err == nil && code >= 500 {
		return fmt.Errorf("approve: %d %.200s", code, answer)
	}
	return err
}
