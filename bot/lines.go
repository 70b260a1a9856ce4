package bot

import (
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// roomLine is one line of the room, and the event it tells.
type roomLine struct {
	seq     int64
	message Message
}

// lines tells the visible events that have no message of their own.
func (v *view) lines(events []incidents.Event) []roomLine {
	told := incidents.Timeline(v.s, events)
	moved := v.movedBy(events)
	var out []roomLine
	for i := range told {
		l := &told[i]
		if l.Seq == 0 || !ownLine(l) {
			continue
		}
		m := Message{
			Key: lineKey(l.Seq), Kind: KindLine, Tone: lineTone(l.Kind), At: l.At,
			Title: sentence(v.lang, l), Text: v.aside(l),
		}
		if l.By.IsPerson() {
			m.By = Who(l.By)
		}
		switch l.Kind {
		case incidents.EventRanked:
			if moved.told[l.Seq] {
				continue // its vote's line says so
			}
			m.Title = v.t("line.moved", "moves", v.moves(l.Event.Moved))
		case incidents.EventVoted:
			if moves := moved.by[l.Seq]; len(moves) > 0 {
				m.Title = v.t("line.vote_moved", "vote", m.Title, "moves", v.moves(moves))
			}
		case incidents.EventGaveUp:
			m.Title, m.Text = GaveUp(v.lang, l.Event.Effect, l.Event.Text), ""
		case incidents.EventResolved:
			m.Title = v.resolved(l, m.Title)
		}
		out = append(out, roomLine{l.Seq, m})
	}
	return out
}

func lineKey(seq int64) string { return "ev-" + strconv.FormatInt(seq, 10) }

// ownLine says whether an event gets a line: the card, the diagnostics, the
// suggestions and the messages of requests and runs tell the others.
func ownLine(l *incidents.Line) bool {
	switch l.Kind {
	case incidents.EventAlerts, incidents.EventSeverity, incidents.EventAcked, incidents.EventLead, incidents.EventAssigned,
		incidents.EventNoted, incidents.EventReminded, incidents.EventVoted, incidents.EventEscalated,
		incidents.EventResolved, incidents.EventReopened, incidents.EventClosed, incidents.EventGaveUp:
		return true
	case incidents.EventRanked:
		return len(l.Event.Moved) > 0
	}
	return false
}

func lineTone(kind incidents.EventKind) Tone {
	switch kind {
	case incidents.EventEscalated, incidents.EventReopened:
		return ToneBad
	case incidents.EventReminded, incidents.EventGaveUp:
		return ToneWarn
	case incidents.EventResolved:
		return ToneGood
	}
	return ""
}

// sentence is what happened, in the reader's language.
func sentence(lang string, l *incidents.Line) string {
	return phrases.Fill(lang, l.Phrase.Phrase, words(lang, l.Args(lang)))
}

// aside is what a person wrote, or else why it happened.
func (v *view) aside(l *incidents.Line) string {
	if l.Said != "" {
		return Cut(Clean(l.Said), incidents.MaxNote)
	}
	return Say(v.lang, l.Because)
}

// resolved adds to a resolution how long everything took.
func (v *view) resolved(l *incidents.Line, what string) string {
	took := Duration(v.lang, l.At.Sub(v.s.OpenedAt))
	if len(v.s.Acks) > 0 && !v.s.Acks[0].At.After(l.At) {
		acked := Duration(v.lang, max(v.s.Acks[0].At.Sub(v.s.CreatedAt), 0))
		return v.t("line.resolved_acked", "what", what, "took", took, "acked", acked)
	}
	return v.t("line.resolved", "what", what, "took", took)
}

// feedback says which votes moved the order: by is what a vote (its event's
// Seq) moved, told the rankings whose moves are told with a vote.
type feedback struct {
	by   map[int64][]incidents.RankMove
	told map[int64]bool
}

// movedBy finds for each vote what the ranking that followed it moved. Where
// several came before one ranking, nobody can say which of them did it, and
// the ranking has its own line.
func (v *view) movedBy(events []incidents.Event) feedback {
	f := feedback{by: map[int64][]incidents.RankMove{}, told: map[int64]bool{}}
	var votes []int64
	for i := range events {
		e := &events[i]
		switch e.Kind {
		case incidents.EventVoted:
			votes = append(votes, e.Seq)
		case incidents.EventVerified, incidents.EventNotVerified, incidents.EventRunFailed, incidents.EventDiagnosed:
			votes = append(votes, 0)
		case incidents.EventRanked:
			if len(votes) == 1 && votes[0] > 0 {
				f.by[votes[0]], f.told[e.Seq] = e.Moved, true
			}
			votes = nil
		}
	}
	return f
}

func (v *view) moves(moves []incidents.RankMove) string {
	const most = 3
	text := ""
	for i, m := range moves {
		if i > 0 {
			text += v.t("list.comma")
		}
		if i == most {
			return text + count(v.lang, "card.more", len(moves)-most)
		}
		text += v.t("line.move", "action", v.title(m.Title, m.Action), "move", v.move(m))
	}
	return text
}

// Story tells incidents in words, for pages and for programs.
type Story struct {
	Links Links
	Now   func() time.Time // its time zone is the one that times are shown in; nil: time.Now
}

func (t Story) now() time.Time {
	if t.Now == nil {
		return time.Now()
	}
	return t.Now()
}

// Line tells one event in one sentence; "" for book-keeping.
func (t Story) Line(lang string, s *incidents.Incident, e *incidents.Event) string {
	told := incidents.Timeline(s, []incidents.Event{*e})
	if len(told) == 0 {
		return ""
	}
	l := &told[len(told)-1]
	return TimelineText(lang, l)
}

// TimelineText is a line of the timeline as one text: what happened, and what
// was said, or why.
func TimelineText(lang string, l *incidents.Line) string {
	what := sentence(lang, l)
	if l.Kind == incidents.EventGaveUp {
		return GaveUp(lang, l.Event.Effect, l.Event.Text)
	}
	switch {
	case l.Said != "":
		return phrases.T(lang, "line.said", "what", what, "said", Line(l.Said, incidents.MaxNote))
	case l.Because.Phrase != "" && l.Because.Phrase != "because.declared": // its sentence says so already
		return phrases.T(lang, "line.because", "what", what, "because", Say(lang, l.Because))
	}
	return what
}
