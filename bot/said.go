package bot

import (
	"slices"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// saidNews is what a stretch of the log tells of one message that a person
// wrote in one of the rooms: the latest word on it.
type saidNews struct {
	last  *incidents.Event
	at    int64 // the event that it was first heard of with, where it stands among the lines
	first bool  // that is within the stretch: no room had it before
}

// saidPrefix begins the keys of others' messages: see incidents.Said.Key.
const saidPrefix = "said-"

// saidIn gathers what was said, by key.
func saidIn(events []incidents.Event) map[string]*saidNews {
	all := map[string]*saidNews{}
	for i := range events {
		e := &events[i]
		if e.Kind != incidents.EventSaid || e.Said == nil || e.Said.Key == "" {
			continue
		}
		n := all[e.Said.Key]
		if n == nil {
			n = &saidNews{at: e.Seq}
			all[e.Said.Key] = n
		}
		n.last, n.first = e, n.first || e.Said.First
	}
	return all
}

// said shows what people said in one room to those in the others.
func (v *view) said(events []incidents.Event) []roomLine {
	var out []roomLine
	for key, n := range saidIn(events) {
		m := Message{
			Key: key, Kind: KindSaid, At: n.last.At, By: Who(n.last.By), Chat: Line(n.last.Chat, 40),
			Title: v.t("said.in", "chat", Line(n.last.Chat, 40)), Text: Cut(Clean(n.last.Text), incidents.MaxSaidText),
		}
		switch {
		case n.last.Said.Deleted:
			m.Text = v.t("said.deleted")
			if !n.last.By.IsPerson() {
				m.By = "" // the chat did not tell whose it was
			}
		case n.last.Said.Edited:
			m.Title = v.t("said.in.edited", "chat", Line(n.last.Chat, 40))
		}
		out = append(out, roomLine{n.at, m})
	}
	return out
}

// maxMissedSaid is how many messages of others a room that was away gets word
// for word; of the earlier ones it is told how many there were.
const maxMissedSaid = 20

// maxKeptSaid is of how many messages a room keeps where they stand, the latest
// ones: so many can be edited after they were said.
const maxKeptSaid = 50

// elsewhere leaves out of messages what was said in the chat itself, what the
// room had before and has forgotten, and what was taken back before it was
// shown. Of what the room has missed it keeps the latest.
func elsewhere(chat, lang string, messages []Message, events []incidents.Event, room incidents.Room) []Message {
	news := saidIn(events)
	out := messages[:0:0]
	var missed []int // where in out
	for i := range messages {
		m := &messages[i]
		if m.Kind == KindSaid {
			_, stands := room.Posted[m.Key]
			n := news[m.Key]
			if m.Chat == chat || !stands && (!n.first || n.last.Said.Deleted) {
				continue
			}
			if !stands {
				missed = append(missed, len(out))
			}
		}
		out = append(out, *m)
	}
	more := len(missed) - maxMissedSaid
	if more <= 0 {
		return out
	}
	oldest := &out[missed[more]]
	oldest.Title += " · " + phrases.T(lang, "said.more", "n", strconv.Itoa(more))
	slices.Reverse(missed[:more])
	for _, i := range missed[:more] {
		out = slices.Delete(out, i, i+1)
	}
	return out
}

// forgetSaid keeps what a room remembers of others' messages small.
func forgetSaid(posted map[string]incidents.Posted) {
	for {
		n, oldest := 0, ""
		for key, p := range posted {
			if p.Seq == 0 {
				continue
			}
			if n++; oldest == "" || p.Seq < posted[oldest].Seq {
				oldest = key
			}
		}
		if n <= maxKeptSaid {
			return
		}
		delete(posted, oldest)
	}
}

// lateFrom is how far behind a room must be for its card to say so. More of
// the same may wait five seconds anyway (see incidents.syncNews).
const lateFrom = 20 * time.Second

// late says how far behind a room is that has missed events, and with how many
// lines. Lines are always posted, so the oldest one missed tells.
func late(s *incidents.Incident, missed []incidents.Event, now time.Time) (behind time.Duration, n int) {
	v := view{s: s, lang: phrases.English, now: now}
	lines := v.lines(missed)
	if len(lines) == 0 {
		return 0, 0
	}
	for i := range missed {
		if missed[i].Seq == lines[0].seq {
			behind = now.Sub(missed[i].Written)
		}
	}
	return behind, len(lines)
}

// sayLate is the card with a line that says so. The line is no reason for an
// edit: it comes with one that is due, and goes with the next.
func sayLate(chat string, card LocalMessage, behind time.Duration, n int, now time.Time) LocalMessage {
	out := LocalMessage{}
	for lang, m := range card {
		m.Fields = append(slices.Clone(m.Fields), Field{
			Name: phrases.T(lang, "card.late"),
			Value: count(lang, "card.late_n", n, "chat", Line(chat, 40), "behind", Duration(lang, behind.Round(time.Second)),
				"at", Clock(lang, now, now)),
		})
		out[lang] = m
	}
	return out
}
