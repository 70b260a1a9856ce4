package demo_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hikeshi-ops/hikeshi/internal/demo"
)

// TestMain lets the test binary be the programs under test: the supervisor starts
// "this executable" with "shop", which is us.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch ctx, args := context.Background(), os.Args[2:]; os.Args[1] {
		case "shop":
			os.Exit(demo.RunShop(ctx, args, os.Stdout, os.Stderr))
		case "shopctl":
			os.Exit(demo.RunShopctl(ctx, args, os.Stdout, os.Stderr))
		case "supervise": // a parent that is killed by its test
			s, err := demo.StartShop(ctx, demo.ShopOptions{Dir: args[0]})
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			if len(args) > 1 {
				err = s.Break(ctx, args[1])
			}
			fmt.Println(s.Pid(), err)
			select {}
		}
	}
	// The race detector sleeps for a second at the end of a program, by default,
	// and the programs we start are this one.
	if err := os.Setenv("GORACE", noSleep); err != nil {
		panic(err)
	}
	// Nearly all of these tests wait for processes, so more of them run at a time
	// than there are cores; -parallel on the command line still wins.
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

const noSleep = "atexit_sleep_ms=0"

// patience is for things that happen soon; it is long because machines are slow.
const patience = 60 * time.Second

// startShop supervises a shop until the end of the test.
func startShop(t *testing.T, args ...string) *demo.Shop {
	t.Helper()
	// A slow machine must not look like a slow shop, unless a test wants it so.
	args = append([]string{"--deadline=2s", "--checkout-deadline=1s", "--slow-above=1s", "--slow-by=1200ms"}, args...)
	s, err := demo.StartShop(t.Context(), demo.ShopOptions{Dir: t.TempDir(), Args: args, Grace: 1500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the shop: %v", err)
		}
	})
	return s
}

// eventually waits until the shop's health is as wanted and returns it.
func eventually(t *testing.T, s *demo.Shop, want string) demo.Health {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		h, err := s.Health(ctx)
		if err == nil && h.Status == want {
			return h
		}
		if ctx.Err() != nil {
			t.Fatalf("the shop did not become %q: %+v, %v", want, h, err)
		}
	}
}

// do sends one request and returns the status and the body of the answer.
func do(t *testing.T, method, url string) (code int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}
