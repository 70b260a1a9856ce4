package testenv_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

func TestChromiumRunsAPage(t *testing.T) {
	t.Parallel()
	ctx := testenv.Chromium(t)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, `<title>火消し</title><p id=a>…</p><script>document.querySelector("#a").textContent = 6*7</script>`)
	}))
	t.Cleanup(srv.Close)
	if err := chromedp.Do(ctx, chromedp.Navigate(srv.URL)); err != nil {
		t.Fatal(err)
	}
	title, err := chromedp.Run(ctx, chromedp.Title())
	if err != nil || title != "火消し" {
		t.Errorf("title = %q, %v", title, err)
	}
	text, err := chromedp.Run(ctx, chromedp.Text("#a"))
	if err != nil || text != "42" {
		t.Errorf("text = %q, %v", text, err)
	}
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil || len(png) < 1000 {
		t.Errorf("screenshot of %d bytes, %v", len(png), err)
	}
}
