package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

// tab is one page of a browser. What goes wrong in it is noted in its session's
// storage, which outlives navigation.
type tab struct {
	t   *testing.T
	ctx context.Context
	url string
}

// noting runs before every page's own scripts.
const noting = `
	const note = what => sessionStorage.setItem("problems", (sessionStorage.getItem("problems") ?? "") + what + "\n");
	addEventListener("error", e => note("error: " + e.message));
	addEventListener("unhandledrejection", e => note("rejection: " + e.reason));
	addEventListener("securitypolicyviolation", e => note("csp: " + e.violatedDirective + " " + e.blockedURI));
	for (const dialog of ["alert", "confirm", "prompt"]) window[dialog] = text => note(dialog + ": " + text);
	const complain = console.error;
	console.error = (...what) => { note("console: " + what.join(" ")); complain(...what); };
`

// open makes a tab.
func open(t *testing.T, browser context.Context, url string) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx, url: url}
	b.do(func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: noting})
		return chromedp.Void{}, err
	})
	return b
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatalf("%v; the page: %s", err, b.text("main"))
	}
}

// text is the text of an element that is shown, "" where there is none.
func (b *tab) text(selector string) string {
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](fmt.Sprintf(`document.querySelector(%q)?.innerText ?? ""`, selector)))
	if err != nil {
		return err.Error()
	}
	return text
}

// await waits until an element's text holds all of want, without reloading.
func (b *tab) await(selector string, want ...string) {
	b.t.Helper()
	script := fmt.Sprintf(`[...document.querySelectorAll(%q)].some(e => %s.every(w => e.innerText.includes(w)))`, selector, list(want))
	b.poll(script)
}

// poll evaluates script until it is true. An error counts as not yet: while a
// page gives way to the next there is none to ask.
func (b *tab) poll(script string) {
	b.t.Helper()
	deadline := time.After(patience)
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for {
		yes, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](script))
		if err == nil && yes {
			return
		}
		select {
		case <-look.C:
		case <-deadline:
			b.t.Fatalf("waited in vain for %s: %v; the page: %s", script, err, b.text("main"))
		}
	}
}

func list(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = fmt.Sprintf("%q", w)
	}
	return "[" + strings.Join(quoted, ",") + "]"
}

// press clicks the button with this label in the item of a list that names it.
func (b *tab) press(item, label string) {
	b.t.Helper()
	script := fmt.Sprintf(`(() => {
		const item = [...document.querySelectorAll("li.item, #card")].find(e => e.innerText.includes(%q));
		const button = item && [...item.querySelectorAll("button")].find(e => e.innerText.includes(%q));
		if (!button) return false;
		button.click();
		return true;
	})()`, item, label)
	b.poll(script)
}

// noProblems fails where any page of the tab had an error, a dialog, or
// something that the content security policy refused.
func (b *tab) noProblems() {
	b.t.Helper()
	problems, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`sessionStorage.getItem("problems") ?? ""`))
	if err != nil || problems != "" {
		b.t.Errorf("the browser complained: %s %v", problems, err)
	}
}

// shoot takes pictures of a page, wide and narrow, light and dark, where
// HIKESHI_SHOTS names a directory; otherwise it does nothing.
func (b *tab) shoot(name, path string) {
	b.t.Helper()
	dir := os.Getenv("HIKESHI_SHOTS")
	if dir == "" {
		return
	}
	for _, width := range []int64{1440, 390} {
		height := int64(1000)
		if width < 500 {
			height = 844
		}
		for _, lang := range []string{"ja", "en"} { // English last: it stays
			b.do(chromedp.EmulateViewport(width, height),
				chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.cookie = "hikeshi_lang=%s; path=/"`, lang)),
				chromedp.Navigate(b.url+path), chromedp.Sleep(300*time.Millisecond))
			png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
			if err != nil {
				b.t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", name, width, lang)), png, 0o600); err != nil {
				b.t.Fatal(err)
			}
		}
	}
}

// A person at a browser follows an outage from the alert to the end, without
// ever reloading the page.
func TestOutageInABrowser(t *testing.T) {
	t.Parallel()
	browser := testenv.Chromium(t)
	h := start(t, "demo", "--listen", "127.0.0.1:0", "--delay", "1s")
	b := open(t, browser, h.url)

	b.do(chromedp.Navigate(h.url + "/"))
	b.await("main", "ShopCheckoutDown")
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('main a[href*="/incidents/INC-1"]').click()`))
	b.await("#card", "SEV1", "ShopCheckoutDown")
	b.await("#stream article", "First investigation", "HTTP 503")
	b.await("li.item", "Restart the shop")
	b.shoot("room-suggested", "/incidents/INC-1")
	b.do(chromedp.Navigate(h.url + "/incidents/INC-1"))
	b.press("Acknowledge", "Acknowledge")
	b.await("main", "Investigating")
	b.press("Restart the shop", "Approve")
	b.await("#stream article", "Restart the shop", "INC-1/1")
	b.await("#card", "Resolved")
	b.await("#stream article", "HTTP 200", "HTTP 503")               // before and after
	b.await("li.item", "Restart the shop", "worked 1 of 1", "2 → 1") // the proof moves the ranking,
	b.press("Restart the shop", "👍")
	b.await("li.item", "Restart the shop", "👍1")
	b.press("Clean the shop's cache", "👎")
	b.poll(`(() => {
		const why = [...document.querySelectorAll("button")].find(e => e.innerText.includes("Wrong cause"));
		why?.click();
		return why !== undefined;
	})()`)
	b.await("li.item", "Clean the shop's cache", "👎1", "2 → 3") // and so does what people think of it
	b.await("li.item .rank", "1")
	b.shoot("room-judged", "/incidents/INC-1")
	b.do(chromedp.Navigate(h.url + "/incidents/INC-1/timeline"))
	b.await("main", "approved Restart the shop", "helped, and that is proved")
	b.do(chromedp.Navigate(h.url + "/incidents/INC-1/postmortem"))
	b.await("main", "Restart the shop", "operator")
	b.noProblems()
	for name, path := range map[string]string{"list": "/", "room-resolved": "/incidents/INC-1", "timeline": "/incidents/INC-1/timeline", "postmortem": "/incidents/INC-1/postmortem"} {
		b.shoot(name, path)
	}
}
