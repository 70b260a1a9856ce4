package web

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

// TestScreenshots takes a picture of every page at two widths, light and dark,
// in both languages, for people to look at:
//
//	HIKESHI_SHOTS=/tmp/shots go test -run TestScreenshots ./web
//
// HIKESHI_SHOT, a regular expression over the names, takes only some of them.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("HIKESHI_SHOTS")
	if dir == "" {
		t.Skip("set HIKESHI_SHOTS to a directory for pictures of the pages")
	}
	browser := testenv.Chromium(t)
	c := &clock{at: time.Now()}
	w := newWorld(t, c.now)
	fill(t, w, c)
	w.now = time.Now
	base := serve(t, w, nil).URL
	gated := serve(t, w, withToken).URL
	pages := map[string]string{
		"list": "/", "asking": "/incidents/6", "asking-top": "/incidents/6#top", "solved-top": "/incidents/4#top", "solved": "/incidents/4", "verifying": "/incidents/5",
		"timeline": "/incidents/4/timeline", "postmortem": "/incidents/4/postmortem", "dead": "/dead-letters", "error": "/incidents/99",
	}
	// What only shows after somebody did something.
	scripts := map[string]string{
		"popover": `{ const t = document.querySelector("#text"); t.focus(); t.value = "/"; t.dispatchEvent(new Event("input")); }`,
		"menu":    `document.querySelector("details.me").open = true`,
		"details": `document.querySelectorAll(".stream details").forEach((d) => { d.open = true; }); document.querySelector(".m-diagnostics").scrollIntoView()`,
		"status":  `{ const t = document.querySelector("#text"); t.value = "/status"; t.form.requestSubmit(); }`,
		"refused": `{ const t = document.querySelector("#text"); t.value = "/nosuch"; t.form.requestSubmit(); }`,
	}
	pages["login"] = "/login"
	pages["popover"], pages["menu"], pages["details"], pages["status"], pages["refused"] = "/incidents/6", "/incidents/6#top", "/incidents/4#top", "/incidents/6", "/"
	for name, path := range pages {
		for _, lang := range []string{"en", "ja"} {
			for _, scheme := range []string{"light", "dark"} {
				for _, width := range []int64{1440, 390} {
					if (lang == "ja") != (scheme == "dark") && name != "asking" && name != "list" {
						continue // half of them show everything
					}
					file := filepath.Join(dir, name+"-"+strconv.FormatInt(width, 10)+"-"+scheme+"-"+lang+".png")
					if only := os.Getenv("HIKESHI_SHOT"); only != "" && !regexp.MustCompile(only).MatchString(file) {
						continue
					}
					where := base
					if name == "login" {
						where = gated
					}
					shoot(t, browser, where+path, lang, scheme, width, file, scripts[name])
				}
			}
		}
	}
}

func shoot(t *testing.T, browser context.Context, url, lang, scheme string, width int64, file, script string) {
	t.Helper()
	tab, cancel := chromedp.NewContext(browser)
	defer cancel()
	tab, cancelTime := context.WithTimeout(tab, time.Minute)
	defer cancelTime()
	path, hash, _ := strings.Cut(url, "#")
	address := path + "?lang=" + lang + "#" + hash
	height := int64(1000)
	if width < 500 {
		height = 844
	}
	set := func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 500})
		if err != nil {
			return err
		}
		features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
		if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}); err != nil {
			return err
		}
		if _, err := chromedp.Call(ctx, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Asia/Tokyo"}); err != nil {
			return err
		}
		return nil
	}
	if err := chromedp.Do(tab, chromedp.Func(set), chromedp.Navigate(address), chromedp.WaitReady("main")); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if script != "" {
		time.Sleep(300 * time.Millisecond)
		if _, err := chromedp.Run(tab, chromedp.Evaluate[any](script)); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	time.Sleep(400 * time.Millisecond) // let the first live update and the transitions pass: a picture, not a test
	png, err := chromedp.Run(tab, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if err := os.WriteFile(file, png, 0o644); err != nil {
		t.Fatal(err)
	}
}
