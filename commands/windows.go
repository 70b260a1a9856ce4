package commands

import (
	"context"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Window is a time of the calendar: a change freeze, or a maintenance.
type Window struct {
	Name, Kind  string // the kind: "freeze", "maintenance"
	About, Why  string
	From, Until time.Time
	Unread      string // why its file could never be read: it has no times then; "": it was
}

// mostWindows is how many windows one answer shows.
const mostWindows = 10

// tellWindows adds the calendar: what is now, with how much it holds back, and what is
// next.
func (d Deps) tellWindows(ctx context.Context, r bot.Request, m *bot.Message) {
	if d.Calendar == nil {
		return
	}
	now := d.Now()
	windows := d.Calendar(now)
	held, whole := map[string]int{}, true
	for _, w := range windows {
		if w.Kind == "maintenance" && w.Unread == "" && !w.From.After(now) && len(held) == 0 {
			held, whole = d.heldBack(ctx, r)
			break
		}
	}
	for i, w := range windows {
		if i == mostWindows {
			m.Text += " " + phrases.T(r.Lang, "say.windows_more", "n", strconv.Itoa(len(windows)-i))
			break
		}
		key := "say.window_next"
		if !w.From.After(now) {
			key = "say.window_now"
		}
		text := phrases.T(r.Lang, key, "from", bot.Clock(r.Lang, w.From, now), "until", bot.Clock(r.Lang, w.Until, now))
		if w.Unread != "" {
			text = phrases.T(r.Lang, "say.window_unread."+w.Kind, "error", bot.Line(w.Unread, 200))
		}
		if w.About != "" {
			text += " · " + bot.Line(w.About, 200)
		}
		if w.Why != "" {
			text += " · " + bot.Line(w.Why, 200)
		}
		if n := held[w.Name]; n > 0 {
			text += " · " + phrases.T(r.Lang, "say.window_held", "n", strconv.Itoa(n))
		}
		m.Fields = append(m.Fields, bot.Field{Name: phrases.T(r.Lang, "window."+w.Kind) + " " + w.Name, Value: text})
	}
	if !whole {
		m.Text += " " + phrases.T(r.Lang, "say.window_uncounted")
	}
}

// heldBack counts the incidents that maintenance holds back, by its name, among the
// latest ones; false where there may be more.
func (d Deps) heldBack(ctx context.Context, r bot.Request) (n map[string]int, whole bool) {
	n = map[string]int{}
	page, err := d.Incidents.List(ctx, incidents.Query{Limit: mostTold})
	if err != nil {
		return n, false
	}
	whole = page.Next == 0
	for i := range page.Incidents {
		sum := &page.Incidents[i]
		if sum.Status != incidents.Held || !r.Reader.Sees(sum.Scope()) {
			continue
		}
		s, err := d.Incidents.Load(ctx, sum.ID)
		if err != nil {
			whole = false
			continue
		}
		if s.Expected != "" {
			n[s.Expected]++
		}
	}
	return n, whole
}
