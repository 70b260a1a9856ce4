package web

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// trouble is what people must know who look at a page while the process cannot
// do its work: a full disk or a store that is away changes nothing on a page
// by itself, and a page on which nothing happens looks like peace.
type trouble struct {
	ready func(ctx context.Context) Readiness
	every time.Duration // how often readiness is asked at most, however many pages are open

	mu    sync.Mutex
	asked time.Time
	wrong []incidents.Reason
}

// troubleEvery is as often as a page looks by itself, about.
const troubleEvery = 3 * time.Second

// say is the trouble as one paragraph, "" where there is none.
func (t *trouble) say(ctx context.Context, lang string, now time.Time) string {
	t.mu.Lock()
	due := now.Sub(t.asked) >= t.every
	if due {
		t.asked = now // the others take the last answer meanwhile
	}
	t.mu.Unlock()
	if due {
		if is := t.ready(ctx); ctx.Err() == nil {
			t.mu.Lock()
			t.wrong = slices.Concat(is.Wrong, is.Alarms)
			t.mu.Unlock()
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.wrong) == 0 {
		return ""
	}
	said := make([]string, 0, len(t.wrong))
	for _, reason := range t.wrong {
		said = append(said, bot.Say(lang, reason))
	}
	return phrases.T(lang, "web.trouble", "why", strings.Join(said, " · "))
}

// tellTrouble sends the trouble where it differs from what the page shows.
func (st *stream) tellTrouble(ctx context.Context) bool {
	text := st.s.trouble.say(ctx, st.v.lang, st.s.Now())
	if text == st.trouble {
		return true
	}
	data, err := lean(map[string]string{"text": text})
	if err != nil {
		return false
	}
	st.trouble = text
	return st.write([]byte("event: trouble\ndata: "+string(data)+"\n\n")) == nil
}
