package web

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

// TestInABrowser drives a real one: what only a browser can tell.
func TestInABrowser(t *testing.T) {
	browser := testenv.Chromium(t)
	t.Run("hostile text is only text", func(t *testing.T) { hostileInBrowser(t, browser) })
	t.Run("a room is used by keyboard and is live", func(t *testing.T) { roomInBrowser(t, browser) })
	t.Run("the list is live and moves by keyboard", func(t *testing.T) { listInBrowser(t, browser) })
}

// tab is one tab of the browser. It notes what no page may do: break its
// security policy, throw an error, open a dialog.
type tab struct {
	t   *testing.T
	ctx context.Context
}

func newTab(t *testing.T, browser context.Context) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	if err := chromedp.Do(ctx); err != nil {
		cancel()
		t.Fatal(err)
	}
	limited, stop := context.WithTimeout(ctx, time.Minute)
	t.Cleanup(func() { stop(); cancel() })
	b := &tab{t: t, ctx: limited}
	watch := `window.problems = [];
addEventListener("securitypolicyviolation", (e) => problems.push("policy: " + e.violatedDirective + " " + e.blockedURI));
addEventListener("error", (e) => problems.push("error: " + e.message));
addEventListener("unhandledrejection", (e) => problems.push("rejection: " + e.reason));
for (const name of ["alert", "confirm", "prompt"]) window[name] = (x) => problems.push(name + ": " + x);`
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watch})
		return err
	}))
	return b
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

func eval[T any](b *tab, script string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	if err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
	return v
}

// wait waits until a script is true.
func (b *tab) wait(script string) {
	b.t.Helper()
	until(b.t, script, func() bool {
		is, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("!!("+script+")"))
		if err != nil && b.ctx.Err() != nil {
			b.t.Fatalf("%s: %v", script, err)
		}
		return err == nil && is // an error while the page is being left says nothing
	})
}

func (b *tab) open(url string) {
	b.t.Helper()
	b.do(chromedp.Navigate(url), chromedp.WaitReady("main"))
	b.wait(`document.readyState === "complete"`)
}

// key presses a key as a keyboard does: what a page prevents is not typed.
func (b *tab) key(key string) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		for _, kind := range []input.DispatchKeyEventType{input.DispatchKeyEventTypeKeyDown, input.DispatchKeyEventTypeKeyUp} {
			p := input.DispatchKeyEventParams{Type: kind, Key: key}
			if kind == input.DispatchKeyEventTypeKeyDown {
				p.Text = key
			}
			if key == "\r" {
				p.Key, p.WindowsVirtualKeyCode = "Enter", 13
			}
			if _, err := chromedp.Call(ctx, input.DispatchKeyEvent, p); err != nil {
				return err
			}
		}
		return nil
	}))
}

// send types a line and Enter.
func (b *tab) send(line string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(line))
	b.key("\r")
}

// click clicks an element wherever it is: the page may be scrolling.
func (b *tab) click(selector string) {
	b.t.Helper()
	eval[bool](b, fmt.Sprintf(`(document.querySelector(%q).click(), true)`, selector))
}

func (b *tab) clean() {
	b.t.Helper()
	if problems := eval[string](b, `problems.join("\n")`); problems != "" {
		b.t.Errorf("the page complains: %s", problems)
	}
}

// In a real browser no dialog, no breach of the policy, and as many
// elements as with harmless text; the same for what arrives live.
func hostileInBrowser(t *testing.T, browser context.Context) {
	b := newTab(t, browser)
	all := strings.Join(hostile[:len(hostile)-1], " ")
	all = strings.ReplaceAll(all, "\n", " ")
	count := map[string]int{}
	for _, text := range []string{harmless(all), all} {
		w, _ := hostileWorld(t, text)
		url := serve(t, w, nil).URL
		for _, path := range []string{"/", "/incidents/1", "/incidents/1/timeline"} {
			b.open(url + path)
			if path != "/incidents/1/timeline" {
				b.wait(`document.querySelector("#live").dataset.state === "on"`)
			}
			if path == "/incidents/1" {
				chatter(t, w, 1, bea, text)
				chatter(t, w, 1, bea, "the end")
				b.wait(`document.querySelector("#stream").innerText.includes("the end")`)
			}
			n := eval[int](b, `document.querySelectorAll("*:not(wbr)").length`)
			if want, known := count[path]; known && n != want {
				t.Errorf("%s has %d elements with hostile text, %d with harmless", path, n, want)
			}
			count[path] = n
			b.clean()
		}
	}
}

func roomInBrowser(t *testing.T, browser context.Context) {
	w, srv := liveWorld(t, nil)
	b := newTab(t, browser)
	b.open(srv.URL + "/incidents/1")
	b.wait(`document.querySelector("#live").dataset.state === "on"`)

	// "/" opens the commands, typing narrows them, Tab completes, Enter sends.
	b.key("/")
	b.wait(`document.activeElement.id === "text" && !document.querySelector("#commands").hidden`)
	b.do(chromedp.KeyEvent("no"))
	if got := eval[string](b, `[...document.querySelectorAll("#commands li:not([hidden])")].map((x) => x.dataset.name).join()`); got != "note" {
		t.Errorf("/no suggests %q", got)
	}
	if got := eval[string](b, `document.querySelector("#text").getAttribute("aria-activedescendant")`); got != "cmd-note" {
		t.Errorf("a screen reader hears of %q", got)
	}
	b.do(chromedp.KeyEvent("\t"))
	b.wait(`document.querySelector("#text").value === "/note "`)
	b.send("from the keyboard")
	b.wait(`document.querySelector("#stream").innerText.includes("from the keyboard")`)
	b.wait(`document.querySelector("#text").value === ""`)

	// Words are said, once, and arrive live.
	b.send("hello room")
	b.wait(`document.querySelector("#stream").innerText.includes("hello room")`)
	if n := eval[int](b, `[...document.querySelectorAll(".m-said")].filter((x) => x.innerText.includes("hello room")).length`); n != 1 {
		t.Errorf("it stands there %d times", n)
	}
	// A private answer stands apart and can be dismissed; a refusal keeps what was typed.
	b.send("/status")
	b.wait(`document.querySelector("#replies .m-reply")`)
	b.send("/nosuch")
	b.wait(`document.querySelector("#replies .problem") && document.querySelector("#text").value === "/nosuch"`)
	eval[bool](b, `(document.querySelectorAll("#replies .dismiss").forEach((x) => x.click()), true)`)
	b.wait(`!document.querySelector("#replies").children.length`)

	// An open detail stays open when the message is edited; the reader's vote shows.
	eval[bool](b, `(document.querySelector(".m-suggestions details").open = true)`)
	b.click(".m-suggestions .vote.up")
	until(t, "the vote is counted", func() bool { return len(w.state(1).Votes["restart-till"]) == 1 })
	changed := suggestions(1, w.now(), false)
	changed[0].Evidence.Up++
	w.must(t, 1, incidents.Ranked{Suggestions: changed})
	b.wait(`document.querySelector(".m-suggestions .vote.up .n").innerText === "6"`)
	b.wait(`document.querySelector(".m-suggestions details").open`)
	b.wait(`document.querySelector('.m-suggestions .vote.up').getAttribute("aria-pressed") === "true"`)

	// Approving changes the card, the head and the request without a reload.
	eval[bool](b, `(window.before = true)`)
	b.click(".m-approval button.primary")
	b.wait(`document.querySelector("#head").dataset.status === "remediating"`)
	b.wait(`document.querySelector(".m-run") && !document.querySelector(".m-approval button")`)
	b.wait(`document.querySelector("#card").innerText.includes("Remediating") && window.before`)
	b.clean()

	// The theme is remembered.
	dark := `getComputedStyle(document.documentElement).colorScheme`
	was := eval[string](b, dark)
	b.click("#theme")
	is := eval[string](b, dark)
	b.open(srv.URL + "/incidents/1")
	if again := eval[string](b, dark); is == was || again != is {
		t.Errorf("the theme was %q, became %q, and is %q after a reload", was, is, again)
	}
	// The server goes away: the page says so.
	srv.stop()
	b.wait(`document.querySelector("#live").dataset.state === "lost"`)
}

func listInBrowser(t *testing.T, browser context.Context) {
	w, srv := liveWorld(t, nil)
	b := newTab(t, browser)
	b.open(srv.URL + "/")
	b.wait(`document.querySelector("#live").dataset.state === "on"`)
	for id := incidents.ID(2); id < 5; id++ {
		w.must(t, id, incidents.Declare{ID: id, Title: fmt.Sprintf("number %d", id), By: bea})
	}
	b.wait(`document.querySelectorAll("[data-row]").length === 4 && document.title.startsWith("(4)")`)
	b.do(chromedp.KeyEvent("j"), chromedp.KeyEvent("j"))
	b.wait(`document.activeElement.innerText === "number 3"`)
	// A change elsewhere leaves the reader where they are.
	w.must(t, 4, incidents.Resolve{By: bea})
	b.wait(`document.querySelector("#i4").classList.contains("over")`)
	b.wait(`document.activeElement.innerText === "number 3"`)
	b.do(chromedp.KeyEvent("k"))
	b.key("/")
	b.wait(`document.activeElement.id === "text"`)
	b.send("declare typed here")
	b.wait(`location.pathname === "/incidents/INC-5"`)
	b.clean()
}
