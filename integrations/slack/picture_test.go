package slack

import (
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/chat/contract"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/slack"
)

func illustrated(text string, paths ...string) bot.LocalMessage {
	m := bot.Message{Key: "diagnostics", Kind: bot.KindDiagnostics, Title: "First look", Text: text}
	for _, p := range paths {
		m.Images = append(m.Images, bot.Image{Path: p, URL: "https://hikeshi.example.com" + p, Title: "latency <p99>", Alt: "latency from 10 ms to 2 s"})
	}
	return bot.LocalMessage{"en": m, "ja": m}
}

// withPictures is a world whose messages have pictures.
func withPictures(t *testing.T) (*world, *contract.Drawings, incidents.Room) {
	t.Helper()
	w, d := newWorld(t), &contract.Drawings{}
	w.gallery.Pictures = d
	return w, d, w.room(incident(7, "x"))
}

func (w *world) threadOf(id string) (files []fake.Message) {
	for _, m := range w.fake.Rooms()[0].Messages {
		if m.Thread == id {
			files = append(files, m)
		}
	}
	return files
}

func TestPicturesComeIntoTheThreadOnce(t *testing.T) {
	t.Parallel()
	w, d, r := withPictures(t)
	first, err := w.Post(t.Context(), r, "diagnostics", illustrated("one", "/incidents/INC-7/charts/1.png?at=1", "/none", "/incidents/INC-7/charts/2.png?at=2"), incidents.Posted{})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "two pictures", func() bool { return w.tally.PicturesShown.Load() == 2 })
	got := w.threadOf(first.ID)
	if len(got) != 2 || got[0].Title != "latency <p99>" || got[0].Alt == "" || got[0].File == got[1].File || w.tally.PicturesFailed.Load() != 1 {
		t.Fatalf("%d files: %+v", len(got), got)
	}
	if m := w.fake.Rooms()[0].Messages[0]; strings.Count(m.Blocks, `"url":"https://hikeshi.example.com/`) != 3 {
		t.Errorf("a picture has no link: %s", m.Blocks)
	}
	drawn := d.Drawn()
	// The same pictures, in an edit and by a process that knows nothing of the first.
	if _, err := w.Post(t.Context(), r, "diagnostics", illustrated("two", "/incidents/INC-7/charts/1.png?at=1", "/none", "/incidents/INC-7/charts/2.png?at=2"), first); err != nil || d.Drawn() != drawn {
		t.Errorf("%v, drawn again", err)
	}
	next := w.replica(w.config)
	next.gallery.Pictures = d
	if _, err := next.Post(t.Context(), r, "diagnostics", illustrated("three", "/incidents/INC-7/charts/1.png?at=1"), first); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the next process to look", func() bool { return next.tally.PicturesShown.Load() == 1 })
	if got := w.threadOf(first.ID); len(got) != 2 {
		t.Errorf("%d files", len(got))
	}
}

// Whatever Slack does with a picture, the room goes on, the link stands, and no
// picture stands twice.
func TestAPictureThatCannotBeUploadedLeavesItsLink(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method string
		lies   []fake.Lie
		shown  int64
	}{
		"no files":       {filesGetURL, []fake.Lie{fake.Refuse("file_uploads_disabled")}, 0},
		"away":           {filesGetURL, []fake.Lie{fake.FailBefore, fake.FailBefore}, 0},
		"away once":      {filesGetURL, []fake.Lie{fake.FailBefore}, 1},
		"lost content":   {"files.upload", []fake.Lie{fake.FailBefore}, 1},
		"nobody knows":   {filesComplete, []fake.Lie{fake.HangUpAfter}, 1},
		"nobody knows 2": {filesComplete, []fake.Lie{fake.FailAfter}, 1},
		"refused":        {filesComplete, []fake.Lie{fake.Refuse("channel_not_found")}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _, r := withPictures(t)
			w.fake.Lie(c.method, c.lies...)
			posted, err := w.Post(t.Context(), r, "diagnostics", illustrated("one", "/incidents/INC-7/charts/1.png?at=1"), incidents.Posted{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Post(t.Context(), r, "ev-1", say("the room goes on"), incidents.Posted{}); err != nil {
				t.Fatal(err)
			}
			eventually(t, "an end", func() bool { return w.tally.PicturesShown.Load()+w.tally.PicturesFailed.Load() == 1 })
			if got := w.threadOf(posted.ID); int64(len(got)) != c.shown || w.tally.PicturesShown.Load() != c.shown {
				t.Errorf("%d files, %d counted", len(got), w.tally.PicturesShown.Load())
			}
			if m := w.fake.Rooms()[0].Messages[0]; !strings.Contains(m.Blocks, "/incidents/INC-7/charts/1.png") {
				t.Errorf("no link: %s", m.Blocks)
			}
		})
	}
}
