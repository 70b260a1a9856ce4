package testenv

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// Chromium starts a headless browser with a profile of its own and returns the
// chromedp context of its first tab; derive more tabs with
// chromedp.NewContext. The browser is already running, so a deadline put on a
// derived context ends an action and not the browser. At the end of the test it
// is closed, its helper processes too, and its profile removed.
func Chromium(t testing.TB) context.Context {
	t.Helper()
	bin := Need(t, "chromium")
	// No user-data-dir is given: chromedp then makes one, and knows how to
	// remove it under helper processes that write to the last moment, which
	// t.TempDir does not.
	opts := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(bin),
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("lang", "en"),
	)
	alloc, end := chromedp.NewExecAllocator(context.Background(), opts...)
	log := &testLog{t: t}
	ctx, _ := chromedp.NewContext(alloc, chromedp.WithErrorf(log.printf))
	t.Cleanup(func() {
		closing, cancel := context.WithTimeout(ctx, stopLimit)
		defer cancel()
		if err := chromedp.Cancel(closing); err != nil {
			log.printf("close the browser: %v", err)
		}
		end() // waits for the process, its helpers and its profile to be gone
		log.close()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	return ctx
}

// testLog hands the browser's complaints to the test, and falls silent when the
// test is over: t.Logf panics after that.
type testLog struct {
	mu   sync.Mutex
	t    testing.TB
	over bool
}

func (l *testLog) printf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over {
		l.t.Logf("chromium: "+format, args...)
	}
}

func (l *testLog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
}
