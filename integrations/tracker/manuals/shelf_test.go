package manuals_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/backlog"
	"github.com/hikeshi-ops/hikeshi/integrations/gitlab"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/manuals"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
	backlogfake "github.com/hikeshi-ops/hikeshi/internal/fakes/backlog"
	gitlabfake "github.com/hikeshi-ops/hikeshi/internal/fakes/gitlab"
	"github.com/hikeshi-ops/hikeshi/internal/fakes/lies"
)

type free struct{}

func (free) Wait(ctx context.Context, _, _ string, _ limit.Lane) error       { return ctx.Err() }
func (free) Close(_ context.Context, _, _ string, _ time.Duration)           {}
func (free) Setting(context.Context, string) (d incidents.Document, e error) { return d, e }
func (free) PutSetting(context.Context, string, int64, []byte) error         { return nil }

// counted counts what is asked.
type counted struct {
	next http.RoundTripper
	n    int
}

func (c *counted) RoundTrip(r *http.Request) (*http.Response, error) {
	c.n++
	return c.next.RoundTrip(r)
}

// house is a shelf with a Backlog and a GitLab, and a clock that is moved by hand.
type house struct {
	*manuals.Shelf
	now     time.Time
	asked   counted // of Backlog
	backlog *backlogfake.Server
	gitlab  *gitlabfake.Server
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{now: time.Date(2026, 3, 1, 14, 2, 0, 0, time.UTC)}
	clock, log := func() time.Time { return h.now }, slog.New(slog.DiscardHandler)
	h.backlog, h.gitlab = backlogfake.New(clock), gitlabfake.New(clock)
	h.asked.next = h.backlog
	wiki, err := backlog.New(remote.Options{
		Config:   remote.Config{Name: "backlog", URL: "https://example.backlog.com", Token: backlogfake.Token, Project: backlogfake.Project, Type: backlogfake.Type},
		Settings: free{}, Pace: free{}, Transport: &h.asked, Now: clock, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	git, err := gitlab.New(remote.Options{
		Config:   remote.Config{Name: "gitlab", URL: "https://gitlab.example.com", Token: gitlabfake.Token, Project: gitlabfake.Project},
		Settings: free{}, Pace: free{}, Transport: h.gitlab, Now: clock, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Shelf = &manuals.Shelf{
		Sources: map[string]manuals.Source{"backlog": wiki, "gitlab": git}, Now: clock, Log: log,
		Clean: func(s string) string { return strings.ReplaceAll(s, "hunter2", "***") },
	}
	t.Cleanup(func() {
		for _, w := range append(h.backlog.Wrongs(), h.gitlab.Wrongs()...) {
			t.Error(w)
		}
	})
	return h
}

const disk = "* ディスク逼迫\n**対応''手順''\n- 古いログを消す\n-- /var/log\n+ 確認\n|パス|上限|h\n|/var|80 % _以下_|\n{code:bash}\ndu -sh * # ''x''\n{/code}\n[[詳細>https://wiki.example.com/a_b]] &color(red){注意} %%古い%% hunter2\n{quote}\n昔の話\n{/quote}\n#contents\n----\n<script>"

func (h *house) fill() {
	h.backlog.Wikis = []backlogfake.Wiki{
		{ID: 41, ProjectID: 1, Name: "Home", Content: "top"}, {ID: 42, ProjectID: 1, Name: "運用/ディスク", Content: disk, Updated: h.now.Add(-time.Hour)},
		{ID: 43, ProjectID: 2, Name: "another customer's", Content: "Canary"},
		{ID: 44, ProjectID: 1, Name: "long", Content: strings.Repeat("あいう\n", 150_000)}, {ID: 45, ProjectID: 1, Name: "too long", Content: strings.Repeat("x", 4<<20)},
	}
	h.gitlab.Files = map[string]string{"docs/disk full.md": "# Disk full\n", "next:docs/disk full.md": "# Disk full, next\n", "docs/logo.md": "\xff\xfe"}
}

func code(t *testing.T, err error, want incidents.Code, phrase string) {
	t.Helper()
	e, ok := errors.AsType[*incidents.Error](err)
	if !ok || e.Code != want || e.Phrase != "error.manual_"+phrase {
		t.Errorf("got %v, want %s %s", err, want, phrase)
	}
}

func TestPagesAndFilesAreRead(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.fill()
	got, err := h.Read(t.Context(), incidents.Manual{From: "backlog", Page: "運用/ディスク"})
	want := "\n## ディスク逼迫\n\n\n### 対応**手順**\n\n- 古いログを消す\n  - /var/log\n1. 確認\n\n| パス | 上限 |\n|---|---|\n| /var | 80 % \\_以下\\_ |\n" +
		"``````\ndu -sh * # ''x''\n``````\n詳細 <https://wiki.example.com/a_b> 注意 古い ***\n> 昔の話\n\n\n---\n\n\\<script>"
	if err != nil || got.Text != want || got.Title != "運用/ディスク" || got.URL != "https://example.backlog.com/alias/wiki/42" || !got.Changed.Equal(h.now.Add(-time.Hour)) || !got.Read.Equal(h.now) || got.Cut || got.Away != nil {
		t.Errorf("%v %+v\nwant %q\ngot  %q", err, got, want, got.Text)
	}
	h.backlog.Markdown, h.now = true, h.now.Add(2*time.Hour)
	if got, err := h.Read(t.Context(), incidents.Manual{From: "backlog", Page: "41"}); err != nil || got.Title != "Home" || got.Text != "top" {
		t.Errorf("by its number: %+v %v", got, err)
	}
	if got, err := h.Read(t.Context(), incidents.Manual{From: "backlog", Page: "44"}); err != nil || !got.Cut || len(got.Text) < 255<<10 {
		t.Errorf("of more than 1 MiB: %d bytes, %v", len(got.Text), err)
	}
	if _, err := h.Read(t.Context(), incidents.Manual{From: "backlog", Page: "45"}); err == nil || !strings.Contains(err.Error(), "more than 4 MiB") {
		t.Errorf("more than is read: %v", err)
	}
	for ref, want := range map[string]string{"": "# Disk full\n", "next": "# Disk full, next\n"} {
		got, err := h.Read(t.Context(), incidents.Manual{From: "gitlab", File: "docs/disk full.md", Ref: ref})
		page := map[string]string{"": "https://gitlab.example.com/ops/incidents/-/blob/HEAD/docs/disk%20full.md", "next": "https://gitlab.example.com/ops/incidents/-/blob/next/docs/disk%20full.md"}[ref]
		if err != nil || got.Text != want || got.URL != page {
			t.Errorf("%q: %+v %v", ref, got, err)
		}
	}
	for _, c := range []struct {
		m      incidents.Manual
		code   incidents.Code
		phrase string
	}{
		{incidents.Manual{From: "backlog", Page: "運用"}, incidents.NotFound, "missing"},
		{incidents.Manual{From: "backlog", Page: "99"}, incidents.NotFound, "missing"},
		{incidents.Manual{From: "backlog", Page: "43"}, incidents.NotFound, "missing"}, // our account sees it, who asks may not
		{incidents.Manual{From: "gitlab", File: "docs/none.md"}, incidents.NotFound, "missing"},
		{incidents.Manual{From: "gitlab", File: "docs/disk full.md", Ref: "gone"}, incidents.NotFound, "missing"},
		{incidents.Manual{From: "gitlab", File: "docs/logo.md"}, incidents.Invalid, "no_text"},
		{incidents.Manual{From: "jira", Page: "x"}, incidents.NotFound, "no_source"},
	} {
		got, err := h.Read(t.Context(), c.m)
		if code(t, err, c.code, c.phrase); got.Text != "" {
			t.Errorf("%+v: %q", c.m, got.Text)
		}
	}
}

// What was read is shown with its time while the tracker is away, which is not
// asked at each look; what it refuses is not shown any more.
func TestWhatIsOldSaysSo(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.fill()
	m := incidents.Manual{From: "backlog", Page: "運用/ディスク"}
	look := func(after time.Duration) (bot.Prose, int, error) {
		h.now = h.now.Add(after)
		before := h.asked.n
		got, err := h.Read(t.Context(), m)
		return got, h.asked.n - before, err
	}
	first, _, err := look(0)
	if err != nil {
		t.Fatal(err)
	}
	if got, asked, err := look(4 * time.Minute); err != nil || asked != 0 || got.Away != nil {
		t.Errorf("a fresh one was asked for %d times: %v %v", asked, got.Away, err)
	}
	h.backlog.Tell(lies.Status, 1, "", "/wikis", "503")
	got, asked, err := look(2 * time.Minute)
	if err != nil || asked != 1 || got.Text != first.Text || !got.Read.Equal(first.Read) {
		t.Errorf("while it is away: asked %d times, as of %s: %v", asked, got.Read, err)
	}
	code(t, got.Away, incidents.Unavailable, "away")
	if got, asked, _ := look(20 * time.Second); asked != 0 || got.Away == nil {
		t.Errorf("asked %d times again at once", asked)
	}
	h.backlog.Wikis[1].Content = "''new''"
	if got, _, err := look(20 * time.Second); err != nil || got.Text != "**new**" || got.Away != nil || !got.Read.Equal(h.now) {
		t.Errorf("when it was back: %+v %v", got, err)
	}
	h.backlog.Wikis = h.backlog.Wikis[:1]
	got, _, err = look(time.Hour)
	if code(t, err, incidents.NotFound, "missing"); got.Text != "" {
		t.Errorf("what was deleted is shown: %q", got.Text)
	}
	h.backlog.Tell(lies.Status, 1, "", "/wikis", "403")
	_, _, err = look(time.Hour)
	code(t, err, incidents.Forbidden, "denied")
}

// slow is a tracker that never answers.
type slow struct{}

func (slow) Manual(ctx context.Context, _ incidents.Manual) (bot.Prose, error) {
	<-ctx.Done()
	return bot.Prose{}, ctx.Err()
}

// long has a text of more bytes than are shown; its other pages are short.
type long struct{ asked int }

func (l *long) Manual(_ context.Context, m incidents.Manual) (bot.Prose, error) {
	l.asked++
	if m.Page != "long" {
		return bot.Prose{Text: "short"}, nil
	}
	return bot.Prose{Text: strings.Repeat("あいう\n", 30_000)}, nil
}

func TestAnAnswerHasBounds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := &long{}
		s := &manuals.Shelf{
			Sources: map[string]manuals.Source{"slow": slow{}, "long": source}, Now: time.Now, Log: slog.New(slog.DiscardHandler), Clean: func(s string) string { return s },
		}
		began := time.Now()
		_, err := s.Read(t.Context(), incidents.Manual{From: "slow", Page: "x"})
		if code(t, err, incidents.Unavailable, "away"); time.Since(began) > 5*time.Second {
			t.Errorf("it took %s", time.Since(began))
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		if _, err := s.Read(gone, incidents.Manual{From: "slow", Page: "y"}); err == nil {
			t.Error("who went away was answered")
		}
		read := func(page string) bot.Prose {
			got, err := s.Read(t.Context(), incidents.Manual{From: "long", Page: page})
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond) // of the bubble: what was used when must differ
			return got
		}
		if got := read("long"); !got.Cut || len(got.Text) > 256<<10 || len(got.Text) < 255<<10 || !strings.HasSuffix(got.Text, "あいう\n") {
			t.Errorf("%d bytes, cut %v", len(got.Text), got.Cut)
		}
		for i := range 100 { // more than are kept, of which one is looked at all the time
			read(strings.Repeat("p", i+1))
			read("long")
		}
		if read("p"); source.asked != 102 {
			t.Errorf("asked %d times: the one that was used longest ago is not the one that was let go", source.asked)
		}
	})
}
