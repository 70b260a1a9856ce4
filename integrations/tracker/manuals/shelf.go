// Package manuals reads what people wrote elsewhere about runbooks (手順書): wiki
// pages and files of the configured trackers.
//
// It promises an answer within seconds, whatever the tracker does: what was read
// before is shown with its time where the tracker does not answer, and a tracker
// that is away is not asked again at once. What the tracker does not give any
// more is not shown any more. A text has a bound, and where it was cut it says
// so; secrets that Hikeshi knows are struck out.
//
// Start with Shelf.Read.
package manuals

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

const (
	fresh    = 5 * time.Minute  // so long nobody is asked again
	patience = 30 * time.Second // between two tries of a tracker that is away
	deadline = 4 * time.Second  // somebody waits for the page
	maxText  = 256 << 10        // bytes that are shown
	maxKept  = 64               // texts: 16 MiB at most
)

// Source is a tracker that keeps such words.
type Source interface {
	Manual(ctx context.Context, m incidents.Manual) (bot.Prose, error)
}

// Shelf keeps what was read.
type Shelf struct {
	Sources map[string]Source   // by the tracker's name
	Clean   func(string) string // strikes secrets out
	Now     func() time.Time
	Log     *slog.Logger

	mu   sync.Mutex
	kept map[incidents.Manual]*copied
}

// copied is one text as it was read last.
type copied struct {
	used time.Time // guarded by the shelf

	mu    sync.Mutex // one asks, the others wait for what they are told
	prose bot.Prose  // Read is zero: nothing was read yet
	tried time.Time  // when it last failed
	err   error      // how
}

// Read is the text, asked for or remembered. An error says why there is none.
func (s *Shelf) Read(ctx context.Context, m incidents.Manual) (bot.Prose, error) {
	source := s.Sources[m.From]
	if source == nil {
		return bot.Prose{}, fail(incidents.NotFound, "error.manual_no_source", m, nil)
	}
	c := s.copy(m)
	c.mu.Lock()
	defer c.mu.Unlock()
	now := s.Now()
	if c.err == nil && !c.prose.Read.IsZero() && now.Sub(c.prose.Read) < fresh {
		return c.prose, nil
	}
	if c.err == nil || now.Sub(c.tried) >= patience {
		s.ask(ctx, source, m, c)
	}
	if c.err != nil && c.prose.Read.IsZero() {
		return bot.Prose{}, c.err
	}
	told := c.prose
	told.Away = c.err
	return told, nil
}

// copy finds the text's place, and makes room for it.
func (s *Shelf) copy(m incidents.Manual) *copied {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil {
		s.kept = map[incidents.Manual]*copied{}
	}
	c := s.kept[m]
	if c == nil {
		if len(s.kept) >= maxKept {
			var oldest incidents.Manual
			for other, k := range s.kept {
				if oldest.None() || k.used.Before(s.kept[oldest].used) {
					oldest = other
				}
			}
			delete(s.kept, oldest)
		}
		c = &copied{}
		s.kept[m] = c
	}
	c.used = s.Now()
	return c
}

// ask reads it anew.
func (s *Shelf) ask(ctx context.Context, source Source, m incidents.Manual, c *copied) {
	limited, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	prose, err := source.Manual(limited, m)
	if err == nil && !utf8.ValidString(prose.Text) {
		err = fail(incidents.Invalid, "error.manual_no_text", m, nil)
	}
	if err == nil {
		prose.Title, prose.Text = s.Clean(bot.Line(prose.Title, 300)), s.Clean(prose.Text)
		prose.Text, prose.Cut = cut(prose.Text)
		prose.Read, prose.Away = s.Now(), nil
		c.prose, c.err = prose, nil
		return
	}
	s.Log.Warn("a manual cannot be read", "tracker", m.From, "place", bot.Line(m.Place(), 120), "error", err)
	if c.err = because(m, err); incidents.CodeOf(c.err) != incidents.Unavailable {
		c.prose = bot.Prose{} // it is not theirs to show any more
	}
	if ctx.Err() == nil { // else it was the reader who went away: the next one asks
		c.tried = s.Now()
	}
}

// cut is at most so much of a text, up to the end of a line.
func cut(text string) (string, bool) {
	if len(text) <= maxText {
		return text, false
	}
	text = strings.ToValidUTF8(text[:maxText], "")
	return text[:cmp.Or(strings.LastIndexByte(text, '\n')+1, len(text))], true
}

// because is what people are told of a failure: trackers speak of tickets.
func because(m incidents.Manual, err error) error {
	if e, ok := errors.AsType[*incidents.Error](err); ok && strings.HasPrefix(e.Phrase, "error.manual_") {
		return err
	}
	switch incidents.CodeOf(err) {
	case incidents.NotFound:
		return fail(incidents.NotFound, "error.manual_missing", m, err)
	case incidents.Unauthenticated, incidents.Forbidden:
		return fail(incidents.Forbidden, "error.manual_denied", m, err)
	case incidents.Invalid, incidents.TooLarge:
		return fail(incidents.Invalid, "error.manual_refused", m, err)
	}
	return fail(incidents.Unavailable, "error.manual_away", m, err)
}

func fail(code incidents.Code, phrase string, m incidents.Manual, cause error) error {
	e := incidents.Fail(code, phrase, "the manual "+m.Place()+" of "+m.From+" cannot be read", "from", m.From, "place", bot.Line(m.Place(), 120))
	if cause == nil {
		return e
	}
	return fmt.Errorf("%w: %w", e, cause)
}
