package web

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// A room is its name and a message its key: doing it again changes nothing.
func TestOpeningAndPostingTwiceIsOnce(t *testing.T) {
	t.Parallel()
	c := &clock{at: time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)}
	w := newWorld(t, c.now)
	id := asking(t, w, c)
	rooms := Rooms{Store: w, Links: bot.Links{Base: "http://localhost:8080"}, Now: c.now}
	s := w.state(id)
	a, err := rooms.OpenRoom(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	c.after(time.Hour)
	b, err := rooms.OpenRoom(t.Context(), s)
	if err != nil || a.ID != b.ID || a.ID != "inc-0001-checkouterrors-checkout" || a.URL != "http://localhost:8080/incidents/INC-1" {
		t.Errorf("%+v, %+v, %v", a, b, err)
	}
	m := bot.LocalMessage{"en": {Key: "x", Kind: bot.KindLine, Title: "one"}, "ja": {Key: "x", Kind: bot.KindLine, Title: "一"}}
	first, err := rooms.Post(t.Context(), a, "x", m, incidents.Posted{})
	if err != nil {
		t.Fatal(err)
	}
	n := len(w.said(t, a.ID))
	again, err := rooms.Post(t.Context(), a, "x", m, incidents.Posted{})
	if err != nil || again.ID != first.ID || len(w.said(t, a.ID)) != n {
		t.Errorf("%+v, then %+v, %d messages, %v", first, again, len(w.said(t, a.ID))-n, err)
	}
}

func TestEachReaderReadsTheirLanguage(t *testing.T) {
	t.Parallel()
	_, s := handler(t, nil)
	english := ask(s, http.MethodGet, "/incidents/1", "").Body.String()
	japanese := ask(s, http.MethodGet, "/incidents/1", "", header("Accept-Language", "fr, ja-JP;q=0.9, en;q=0.8")).Body.String()
	if !strings.Contains(english, "Restart the till") || strings.Contains(english, "レジを再起動") || !strings.Contains(english, `<html lang="en">`) {
		t.Error("the English page is not English")
	}
	if !strings.Contains(japanese, "レジを再起動") || strings.Contains(japanese, "Restart the till") || !strings.Contains(japanese, `<html lang="ja">`) {
		t.Error("the Japanese page is not Japanese")
	}
	chosen := ask(s, http.MethodGet, "/incidents/1", "", header("Accept-Language", "ja"), func(r *http.Request) { r.AddCookie(&http.Cookie{Name: langCookie, Value: "en"}) }).Body.String()
	if !strings.Contains(chosen, `<html lang="en">`) {
		t.Error("the reader's own choice does not win")
	}
}

func TestAcceptLanguage(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{
		"": "en", "ja": "ja", "en, ja": "en", "ja;q=0.2, en;q=0.1": "ja", "ja;q=0, en": "en", "fr": "en", "ja;q=x, de": "en", ";;,,q=": "en", "JA-jp": "ja", "*": "en",
	} {
		r, _ := http.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept-Language", value)
		if got := chooseLang(r); got != want {
			t.Errorf("%q: %s", value, got)
		}
	}
}

// A long room shows its last messages, and above them always the card, the
// diagnostics and the suggestions; page by page nothing is missed or doubled.
func TestALongRoomIsPaged(t *testing.T) {
	t.Parallel()
	w, s := handler(t, nil)
	for i := range 230 {
		chatter(t, w, 1, bea, fmt.Sprintf("word %d.", i))
	}
	seqs := regexp.MustCompile(`data-seq="(\d+)"`)
	earlier := regexp.MustCompile(`href="(/incidents/INC-1\?before=\d+)"`)
	seen := map[string]bool{}
	pages := 0
	for path := "/incidents/1"; path != ""; pages++ {
		html := ask(s, http.MethodGet, path, "").Body.String()
		all := seqs.FindAllStringSubmatch(html, -1)
		onPage := map[string]bool{}
		for _, m := range all {
			if onPage[m[1]] {
				t.Errorf("%s: message %s stands twice", path, m[1])
			}
			onPage[m[1]], seen[m[1]] = true, true
		}
		for _, top := range []string{"1", "2", "3"} {
			if !onPage[top] {
				t.Errorf("%s lacks message %s", path, top)
			}
		}
		path = ""
		if m := earlier.FindStringSubmatch(html); m != nil {
			path = m[1]
		}
	}
	total := len(w.rooms[roomOf(w.state(1))])
	if pages != 3 || len(seen) != total {
		t.Errorf("%d pages, %d of %d messages", pages, len(seen), total)
	}
}

// A message that cannot be read is said to be there.
func TestAnUnreadableMessageIsShownAsSuch(t *testing.T) {
	t.Parallel()
	w, s := handler(t, nil)
	if _, err := w.Post(t.Context(), roomOf(w.state(1)), "bad", []byte("{"), w.now()); err != nil {
		t.Fatal(err)
	}
	if html := ask(s, http.MethodGet, "/incidents/1", "").Body.String(); !strings.Contains(html, "cannot be read") {
		t.Error("it is left out in silence")
	}
}

func TestTheReaderSeesTheirOwnVote(t *testing.T) {
	t.Parallel()
	w, s := handler(t, nil)
	w.must(t, 1, incidents.Vote{By: incidents.Actor{ID: "console:aiko", Name: "Aiko"}, Action: "restart-till", Value: 1})
	mine := ask(s, http.MethodGet, "/incidents/1", "", named("Aiko")).Body.String()
	other := ask(s, http.MethodGet, "/incidents/1", "", named("somebody")).Body.String()
	if strings.Count(mine, `class="vote up" aria-pressed="true"`) != 1 || strings.Contains(mine, `class="vote down" aria-pressed`) || strings.Contains(other, "aria-pressed") {
		t.Errorf("mine: %d, other: %d", strings.Count(mine, "aria-pressed"), strings.Count(other, "aria-pressed"))
	}
}

func TestStages(t *testing.T) {
	t.Parallel()
	c := &clock{at: time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)}
	w := newWorld(t, c.now)
	words := func(id incidents.ID) string {
		var out []string
		for _, st := range stages(w.state(id)) {
			out = append(out, string(st.Status)+":"+st.State)
		}
		return strings.Join(out, " ")
	}
	declared := incidents.ID(1)
	w.must(t, declared, incidents.Declare{ID: declared, Title: "x", By: bea})
	if got := words(declared); got != "triggered:now investigating:next remediating:next verifying:next resolved:next" {
		t.Error(got)
	}
	w.must(t, declared, incidents.Resolve{By: bea})
	if got := words(declared); got != "triggered:done investigating:skipped remediating:skipped verifying:skipped resolved:now" {
		t.Error(got)
	}
	if got := words(verifying(t, w, c)); got != "triggered:done investigating:done remediating:done verifying:now resolved:next" {
		t.Error(got)
	}
	if got := words(solved(t, w, c)); got != "triggered:done investigating:done remediating:done verifying:done resolved:now" {
		t.Error(got)
	}
	alert := "alertname=A,service=b"
	monitored := w.open(t, "x", c.at, alert)
	w.clear(t, monitored, c.at, alert)
	if got := words(monitored); got != "triggered:done investigating:skipped remediating:skipped monitoring:now resolved:next" {
		t.Error(got)
	}
}

// Every sentence that a template or this package says exists.
func TestEverySentenceExists(t *testing.T) {
	t.Parallel()
	used := regexp.MustCompile(`\bt \(?(?:print )?"(web\.[a-z_.]+)"`)
	entries, err := templateFiles.ReadDir("templates")
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, e := range entries {
		b, err := templateFiles.ReadFile("templates/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range used.FindAllSubmatch(b, -1) {
			keys = append(keys, string(m[1]))
		}
	}
	for _, state := range []bot.CheckState{bot.CheckOK, bot.CheckBad, bot.CheckUnknown, bot.CheckWaiting, bot.CheckNote} {
		keys = append(keys, "web.check."+string(state))
	}
	keys = slices.DeleteFunc(keys, func(k string) bool { return k == "web.check." })
	if len(keys) < 60 {
		t.Fatalf("only %d keys were found", len(keys))
	}
	for _, k := range keys {
		if !phrases.Has(k) {
			t.Errorf("there is no sentence %s", k)
		}
	}
	// And none is left unsaid on a page.
	_, s := handler(t, nil)
	for _, path := range []string{"/", "/incidents/1", "/incidents/1/timeline", "/incidents/1/postmortem", "/dead-letters", "/nope"} {
		for _, lang := range phrases.Languages {
			if raw := regexp.MustCompile(`\b(web|status|card|button|help|timeline)\.[a-z]+[a-z_.]*\b`).FindString(ask(s, http.MethodGet, path+"?lang="+lang, "").Body.String()); raw != "" && !strings.HasSuffix(raw, ".css") {
				t.Errorf("%s in %s shows the key %s", path, lang, raw)
			}
		}
	}
}
