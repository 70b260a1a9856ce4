package steps

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
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

func newGate(c Config) (*gate, error) {
	g := &gate{allowed: c.Origins}
	if len(c.HTTPHosts) > 0 {
		g.allowed = nil
	}
	for i, h := range c.HTTPHosts {
		u, err := url.Parse(h)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.User != nil {
			return nil, fmt.Errorf("http host %d is not of the form https://name:port", i+1) // it may hold a password
		}
		g.always, g.named = append(g.always, Origin(u)), append(g.named, plainHost(u.Hostname()))
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

// Execute implements Executor.
func (h *HTTP) Execute(ctx context.Context, step incidents.Step, env Env) incidents.StepResult {
	expect, err := ParseExpect(step.Expect)
	if err != nil {
		return Failed(Bad(err))
	}
	u, err := h.gate.url(step.URL)
	if err != nil {
		return Failed(err)
	}
	req, err := http.NewRequestWithContext(ctx, step.Method, u.String(), http.NoBody)
	if err != nil {
		return Failed(Bad(err))
	}
	req.Header.Set("User-Agent", userAgent)
	if env.Execution != "" {
		req.Header.Set("RB-Execution-ID", env.Execution)
		req.Header.Set("Idempotency-Key", env.Execution+"/"+step.ID)
	}
	code, body, err := fetch(h.client, req)
	if err != nil {
		if changes(step.Method) && !neverSent(err) {
			return Unsure(netError(ctx, step, err))
		}
		return Failed(netError(ctx, step, err))
	}
	result := judgeReply(expect, code, body)
	result.Unsure = !result.OK && changes(step.Method) && slices.Contains(noWord, code)
	return result
}

// changes: a request with this method may have done something that its answer does
// not say.
func changes(method string) bool { return method != http.MethodGet && method != http.MethodHead }

// noWord are answers of somebody who gave up waiting for the one who was asked.
var noWord = []int{http.StatusRequestTimeout, http.StatusBadGateway, http.StatusGatewayTimeout}

// judgeReply is what an HTTP reply means.
func judgeReply(expect Expect, code int, body []byte) incidents.StepResult {
	ok, seen, number := expect.output(body, body)
	return incidents.StepResult{
		OK: ok && expect.code(code), Code: code, Number: number, Output: string(body),
		Value: strings.Join(append([]string{fmt.Sprintf("HTTP %d", code)}, seen...), ", "),
	}
}

// fetch reads the whole answer. Half of one is none: what it lacks could be in
// the other half.
func fetch(client *http.Client, req *http.Request) (int, []byte, error) {
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	if err != nil {
		return 0, nil, fmt.Errorf("read the answer: %w", err)
	}
	if len(body) > maxReply {
		return 0, nil, incidents.Fail(incidents.Unavailable, "runbook.reply_too_large",
			fmt.Sprintf("the answer is larger than %d bytes", maxReply), "max", strconv.Itoa(maxReply>>10))
	}
	return resp.StatusCode, body, nil
}

// netError is what went wrong, without the URL, which people see anyway.
func netError(ctx context.Context, step incidents.Step, err error) error {
	if ctx.Err() != nil {
		return Stopped(ctx, step)
	}
	if refused, ok := errors.AsType[*incidents.Error](err); ok {
		return refused
	}
	if inner, ok := errors.AsType[*url.Error](err); ok {
		err = inner.Err
	}
	return incidents.Fail(incidents.Unavailable, "runbook.no_answer", "no answer: "+err.Error(), "error", err.Error())
}
