package demo_test

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/internal/demo"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

func TestShopSells(t *testing.T) {
	t.Parallel()
	s := startShop(t)
	code, page := do(t, http.MethodGet, s.URL()+"/")
	if code != 200 || !strings.Contains(page, "Happi coat") || !strings.Contains(page, "data-break") {
		t.Errorf("page: %d\n%s", code, page)
	}
	for _, c := range []struct {
		method, path string
		code         int
		body         string
	}{
		{"POST", "/checkout?product=matoi", 200, `"yen":12600,"seal":"`},
		{"GET", "/checkout?product=hansho", 200, `"yen":4400,"left":500`},
		{"POST", "/checkout?product=nothing", 404, "unknown product"},
		{"GET", "/healthz", 200, `"status":"ok"`},
		{"GET", "/shop.css", 200, "--paper"},
		{"GET", "/break", 405, ""},
		{"POST", "/break?how=nicely", 400, "unknown fault"},
		{"GET", "/nowhere", 404, ""},
	} {
		if code, body := do(t, c.method, s.URL()+c.path); code != c.code || !strings.Contains(body, c.body) {
			t.Errorf("%s %s = %d %s, want %d with %s", c.method, c.path, code, body, c.code, c.body)
		}
	}
	// A page on another site that the same person has open cannot break the shop.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/break?how=wedge", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("POST /break from another site = %d, want 403", resp.StatusCode)
	}
	raw, err := os.ReadFile(s.LogPath())
	if err != nil || !strings.Contains(string(raw), "method=POST path=/checkout status=200") {
		t.Errorf("the log has no sale in it: %v\n%s", err, raw)
	}
}

// TestMetrics lets promtool judge the text, and checks that the numbers are those
// of what happened.
func TestMetrics(t *testing.T) {
	t.Parallel()
	promtool := testenv.Need(t, "promtool")
	s := startShop(t)
	for range 3 {
		do(t, http.MethodPost, s.URL()+"/checkout")
	}
	do(t, http.MethodPost, s.URL()+"/checkout?product=nothing")
	_, text := do(t, http.MethodGet, s.URL()+"/metrics")
	check := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	check.Stdin = strings.NewReader(text)
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s\n%s", err, out, text)
	}
	for _, line := range []string{
		"shop_up 1", "shop_queue_depth 0", "shop_cache_full 0", "shop_workers 4",
		`shop_requests_total{path="/checkout",code="200"} 3`,
		`shop_requests_total{path="/checkout",code="404"} 1`,
		"shop_checkout_seconds_count 4", `shop_checkout_seconds_bucket{le="+Inf"} 4`,
		"shop_cache_quota_bytes 8.388608e+06",
	} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("no line %q in\n%s", line, text)
		}
	}
}

// TestRunShopDrains runs the program in this process: it must answer, finish when
// its context ends, and leave no goroutine (see TestMain).
func TestRunShopDrains(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0") // occupied, so that the shop cannot have it
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var stderr bytes.Buffer
	if code := demo.RunShop(t.Context(), []string{"--listen", l.Addr().String()}, &stderr, &stderr); code != 1 {
		t.Errorf("exit %d on a taken address, want 1: %s", code, &stderr)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var stdout bytes.Buffer
	if code := demo.RunShop(ctx, []string{"--listen", "127.0.0.1:0", "--dir", t.TempDir()}, &stdout, &stderr); code != 0 {
		t.Errorf("exit %d, want 0: %s", code, &stderr)
	}
	if !strings.HasPrefix(stdout.String(), "the shop is open at http://127.0.0.1:") {
		t.Errorf("it said %q", &stdout)
	}
}

func TestRunShopRefusesNonsense(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--workers", "1"}, {"--queue", "0"}, {"--no-such-flag"}, {"extra"}} {
		var stderr bytes.Buffer
		if code := demo.RunShop(t.Context(), args, &stderr, &stderr); code != 2 || stderr.Len() == 0 {
			t.Errorf("%v: exit %d, want 2 with a reason: %q", args, code, &stderr)
		}
	}
}
