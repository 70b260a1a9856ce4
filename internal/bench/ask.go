package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// asker is for requests that are not the load.
var asker = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: time.Minute}

// status is what a GET answers; 0 where nothing does.
func (t *target) status(ctx context.Context, path string) int {
	code, _, err := t.get(ctx, path)
	if err != nil {
		return 0
	}
	return code
}

// get reads a whole answer.
func (t *target) get(ctx context.Context, path string) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+t.addr+path, nil)
	if err != nil {
		return 0, nil, fmt.Errorf("make a request: %w", err)
	}
	return do(r)
}

// post sends JSON.
func (t *target) post(ctx context.Context, path, body string) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+t.addr+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, fmt.Errorf("make a request: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	return do(r)
}

func do(r *http.Request) (int, []byte, error) {
	resp, err := asker.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := io.Copy(&b, resp.Body); err != nil {
		return 0, nil, fmt.Errorf("read the answer of %s: %w", r.URL.Path, err)
	}
	return resp.StatusCode, b.Bytes(), nil
}

// getJSON reads an answer into v.
func (t *target) getJSON(ctx context.Context, path string, v any) error {
	code, body, err := t.get(ctx, path)
	if err != nil {
		return err
	}
	if code != http.StatusOK {
		return fmt.Errorf("GET %s: %d: %.300s", path, code, body)
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("read the answer of %s: %w", path, err)
	}
	return nil
}

// gauges are the samples of /metrics, by name with labels as they stand there.
func (t *target) gauges(ctx context.Context) (map[string]float64, error) {
	code, body, err := t.get(ctx, "/metrics")
	if err != nil {
		return nil, err
	}
	if code != http.StatusOK {
		return nil, fmt.Errorf("GET /metrics: %d", code)
	}
	all := map[string]float64{}
	for line := range strings.Lines(string(body)) {
		name, value, found := strings.Cut(strings.TrimSpace(line), " ")
		if v, err := strconv.ParseFloat(value, 64); found && err == nil && name != "#" {
			all[name] = v
		}
	}
	return all, nil
}

// backlog says how much work Hikeshi has accepted and not yet done: entries of
// the intake log that are not folded, and lanes with an effect that is due.
func (t *target) backlog(ctx context.Context) (unfolded, late int, err error) {
	all, err := t.gauges(ctx)
	if err != nil {
		return 0, 0, err
	}
	n, there := all["hikeshi_intake_unfolded_entries"]
	if !there {
		return 1, 1, nil // its store is too busy to count: surely not quiet
	}
	for name, v := range all {
		if strings.HasPrefix(name, "hikeshi_effects_oldest_due_seconds") && v > 0 {
			late++
		}
	}
	return int(n), late, nil
}

// look is how often a backlog is looked at: seldom enough that looking costs
// next to nothing.
const look = 100 * time.Millisecond

// folded waits until everything accepted has become incidents. Alertmanager
// has no such backlog.
func (t *target) folded(ctx context.Context) error {
	return t.wait(ctx, func() (bool, error) {
		unfolded, _, err := t.backlog(ctx)
		return unfolded == 0, err
	})
}

// quiet waits until nothing is due any more either: rooms, cards, first
// investigations. Twice in a row, for what is under way is not due.
func (t *target) quiet(ctx context.Context) error {
	still := 0
	return t.wait(ctx, func() (bool, error) {
		unfolded, late, err := t.backlog(ctx)
		if still++; unfolded > 0 || late > 0 {
			still = 0
		}
		return still > 2, err
	})
}

func (t *target) wait(ctx context.Context, good func() (bool, error)) error {
	if t.subject == alertmanager {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, t.lab.size.settle)
	defer cancel()
	for {
		ok, err := good()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the backlog was not worked off within %s", t.lab.size.settle)
		case <-time.After(look):
		}
	}
}
