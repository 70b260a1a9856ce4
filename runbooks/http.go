package runbooks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// HTTP carries out http steps. See the package's gate for whom it talks to.
type HTTP struct {
	gate   *gate
	client *http.Client
}

const (
	maxReply  = 1 << 20 // bytes
	userAgent = "hikeshi"
)

// loopback are the URLs of this machine on any port.
func newGate(c Config, origins func() []string) (*gate, error) {
	g := &gate{allowed: origins}
	for _, h := range c.Hosts {
		u, err := url.Parse(h)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.User != nil {
			return nil, fmt.Errorf("host %q is not of the form https://name:port", h)
		}
		g.always = append(g.always, origin(u))
	}
	if len(c.Hosts) > 0 {
		g.allowed = func() []string { return nil }
	}
	for _, a := range c.Addresses {
		p, err := netip.ParsePrefix(a)
		if err != nil {
			return nil, fmt.Errorf("address range %q is not of the form 169.254.0.0/16: %w", a, err)
		}
		g.nets = append(g.nets, p)
	}
	return g, nil
}

// NewExecutors makes the executors of all kinds of steps. origins are the
// scheme://host:port that http steps may talk to where the configuration names
// none: Library.Origins.
func NewExecutors(c Config, origins func() []string) (map[string]Executor, error) {
	g, err := newGate(c, origins)
	if err != nil {
		return nil, err
	}
	prom, err := newPromQL(c)
	if err != nil {
		return nil, err
	}
	return map[string]Executor{
		KindCommand: NewCommand(c),
		KindHTTP:    &HTTP{gate: g, client: g.client()},
		KindPromQL:  prom,
	}, nil
}

// Execute implements Executor.
func (h *HTTP) Execute(ctx context.Context, step incidents.Step, env Env) incidents.StepResult {
	expect, err := ParseExpect(step.Expect)
	if err != nil {
		return failed(step, incidents.Because("runbook.bad_step"), err.Error())
	}
	u, err := h.gate.url(step.URL)
	if err != nil {
		return failed(step, incidents.Because("runbook.refused"), err.Error())
	}
	req, err := http.NewRequestWithContext(ctx, step.Method, u.String(), http.NoBody)
	if err != nil {
		return failed(step, incidents.Because("runbook.bad_step"), err.Error())
	}
	req.Header.Set("User-Agent", userAgent)
	if env.Execution != "" {
		req.Header.Set("RB-Execution-ID", env.Execution)
		req.Header.Set("Idempotency-Key", env.Execution+"/"+step.ID)
	}
	code, body, err := fetch(h.client, req)
	if err != nil {
		return failed(step, incidents.Reason{}, netError(ctx, step, err))
	}
	ok, seen := expect.output(body)
	return incidents.StepResult{
		OK:     ok && expect.codes(code, Range{200, 299}),
		Value:  strings.Join(append([]string{fmt.Sprintf("HTTP %d", code)}, seen...), ", "),
		Output: string(body),
	}
}

// fetch reads at most maxReply bytes of the answer.
func fetch(client *http.Client, req *http.Request) (int, []byte, error) {
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err != nil && len(body) == 0 {
		return 0, nil, fmt.Errorf("read the answer: %w", err)
	}
	return resp.StatusCode, body, nil
}

// netError is what went wrong, without the URL, which people see anyway.
func netError(ctx context.Context, step incidents.Step, err error) string {
	if ctx.Err() != nil {
		return interrupted(ctx, step).Error()
	}
	if inner, ok := errors.AsType[*url.Error](err); ok {
		err = inner.Err
	}
	return err.Error()
}
