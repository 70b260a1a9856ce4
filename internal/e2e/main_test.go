package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/demo"
)

// binary is the product, built once for all tests.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "hikeshi-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "hikeshi")
	build := exec.Command("go", "build", "-ldflags=-s -w", "-o", binary, "github.com/hikeshi-ops/hikeshi")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build hikeshi:", err)
		return 1
	}
	return m.Run()
}

// patience bounds every wait; each is for an event, and ends with it.
const patience = 90 * time.Second

// startShop starts the shop with its traffic.
func startShop(t *testing.T) *demo.Shop {
	t.Helper()
	shop, err := demo.StartShop(t.Context(), demo.ShopOptions{Dir: filepath.Join(t.TempDir(), "shop"), Argv: []string{binary, "shop"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = shop.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = (&demo.Traffic{URL: "http://" + shop.Addr()}).Run(ctx) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	return shop
}

// hikeshi is a running product.
type hikeshi struct {
	t   *testing.T
	url string
}

const (
	sourceToken = "e2e-source-token-0123456789"
	personToken = "e2e-person-token-0123456789"
)

// serve starts `hikeshi serve` with the demo's runbooks for the shop, one
// source and one person, each with a token in a file.
func serve(t *testing.T, shop *demo.Shop) *hikeshi {
	t.Helper()
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	files, err := filepath.Glob("../../examples/demo/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no example runbooks: %v", err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		write(filepath.Join("runbooks", filepath.Base(f)), string(b))
	}
	write("source.token", sourceToken+"\n")
	write("person.token", personToken+"\n")
	config := write("hikeshi.yaml", fmt.Sprintf(`
listen: 127.0.0.1:0
data: ./data
console: {people: [{name: bea, token_file: person.token}]}
sources: [{name: prometheus, token_file: source.token}]
grouping:
  - {name: shop, match: ['service="shop"'], group_by: [service, alertname], quiet: 5s}
runbooks:
  paths: [./runbooks]
  vars: {shop_url: %q, shop_dir: %q, hikeshi: %q}
`, "http://"+shop.Addr(), shop.Dir(), binary))
	return start(t, "serve", "--config", config)
}

// start runs the binary and waits until it says where it listens.
func start(t *testing.T, args ...string) *hikeshi {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Env = append(os.Environ(), "LANG=C.UTF-8", "HIKESHI_LANGUAGE=en")
	var errors bytes.Buffer
	cmd.Stderr = &errors
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	found := make(chan string, 1)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if rest, ok := strings.CutPrefix(lines.Text(), "Open the console:"); ok {
				found <- strings.TrimRight(strings.TrimSpace(rest), "/")
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-drained
		if err := cmd.Wait(); err != nil {
			t.Errorf("hikeshi ended with %v; it said:\n%s", err, errors.String())
		}
	})
	select {
	case url := <-found:
		return &hikeshi{t: t, url: url}
	case <-drained:
		t.Fatalf("hikeshi did not start: %s", errors.String())
	case <-time.After(patience):
		t.Fatal("hikeshi did not say where it listens")
	}
	return nil
}

// seen is an incident as the API tells it.
type seen struct {
	ID          incidents.ID           `json:"id"`
	Title       string                 `json:"title"`
	Status      incidents.Status       `json:"status"`
	Firing      int                    `json:"firing"`
	Rooms       map[string]any         `json:"rooms"`
	Findings    []incidents.Finding    `json:"findings"`
	Suggestions []incidents.Suggestion `json:"suggestions"`
	Runs        []incidents.Run        `json:"runs"`
}

func (h *hikeshi) call(method, path string, body, into any) {
	h.t.Helper()
	var payload io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			h.t.Fatal(err)
		}
		payload = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.url+path, payload)
	if err != nil {
		h.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+personToken)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		h.t.Fatalf("%s %s: %s %s %v", method, path, resp.Status, b, err)
	}
	if text, ok := into.(*string); ok {
		*text = string(b)
		return
	}
	if into != nil {
		if err := json.Unmarshal(b, into); err != nil {
			h.t.Fatalf("%s %s: %v in %s", method, path, err, b)
		}
	}
}

// await watches the newest incident until good says so.
func (h *hikeshi) await(what string, good func(*seen) bool) *seen {
	h.t.Helper()
	deadline := time.After(patience)
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	var last *seen
	for {
		var page struct{ Incidents []seen }
		h.call(http.MethodGet, "/api/v1/incidents", nil, &page)
		if len(page.Incidents) > 0 {
			var one struct{ Incident seen }
			h.call(http.MethodGet, fmt.Sprintf("/api/v1/incidents/%d", page.Incidents[0].ID), nil, &one)
			last = &one.Incident
			if good(last) {
				return last
			}
		}
		select {
		case <-look.C:
		case <-deadline:
			h.t.Fatalf("waited in vain for %s; the newest incident is %+v", what, last)
		}
	}
}

func (h *hikeshi) command(id incidents.ID, line string) {
	h.t.Helper()
	h.call(http.MethodPost, fmt.Sprintf("/api/v1/incidents/%d/commands", id), map[string]string{"command": line}, nil)
}
