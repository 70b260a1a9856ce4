package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Pauses between two tries and between two looks.
const (
	retryAfter = 25 * time.Millisecond
	lookAfter  = 200 * time.Millisecond
)

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// A client is somebody who goes on trying while the process dies and comes
// back.
type client struct {
	app  *supervisor
	http *http.Client
}

func newClient(app *supervisor) *client {
	return &client{app: app, http: &http.Client{Timeout: 8 * time.Second, Transport: &http.Transport{}}}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// once sends one request.
func (c *client) once(ctx context.Context, method, path, person, key string, body []byte) (answer, error) {
	url, err := c.app.address(ctx)
	if err != nil {
		return answer{}, err
	}
	req, err := http.NewRequestWithContext(ctx, method, url+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	if person != "" {
		req.Header.Set("Authorization", "Bearer "+tokenOf(person))
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, err
	}
	return answer{resp.StatusCode, resp.Header, b}, nil
}

// until sends the request again and again until it is answered for good:
// anything but a broken connection or a 5xx.
func (c *client) until(ctx context.Context, method, path, person, key string, body []byte) (answer, error) {
	for {
		a, err := c.once(ctx, method, path, person, key, body)
		if err == nil && a.status < 500 {
			return a, nil
		}
		if end := pause(ctx, retryAfter); end != nil {
			return a, fmt.Errorf("%s %s: answered %d %.200s, %v: %w", method, path, a.status, a.body, err, end)
		}
	}
}

// get reads JSON, going on until it can.
func (c *client) get(ctx context.Context, path string, into any) error {
	a, err := c.until(ctx, http.MethodGet, path, people[0], "", nil)
	if err != nil {
		return err
	}
	if a.status != http.StatusOK {
		return fmt.Errorf("GET %s: %d %s", path, a.status, a.body)
	}
	if text, ok := into.(*string); ok {
		*text = string(a.body)
		return nil
	}
	return json.Unmarshal(a.body, into)
}

// people of the story, each with a token.
var people = []string{"ann", "bea"}

func tokenOf(person string) string { return "crash-test-token-of-" + person }
