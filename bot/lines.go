package bot

import (
	"strconv"
	"strings"
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
	events = joinAlerts(events)
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
		if l.Reopens() {
			m.Tone = ToneBad
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
			if ranking := moved.by[l.Seq]; ranking != nil {
				m.Title = v.voted(l.Event, ranking, m.Title)
			}
		case incidents.EventConsulted:
			m.Text = v.t("consulted.line", "line", m.Text)
			v.consulted(&m, l.Event)
		case incidents.EventGaveUp:
			m.Title, m.Text = GaveUp(v.lang, l.Event.Effect, l.Event.Text), ""
		case incidents.EventResolved:
			m.Title = v.resolved(l, m.Title)
			if v.s.Draftable() {
				m.Text = strings.TrimSpace(m.Text + "\n" + v.t("line.draft"))
			}
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
		incidents.EventNoted, incidents.EventConsulted, incidents.EventReminded, incidents.EventVoted, incidents.EventEscalated,
		incidents.EventResolved, incidents.EventReopened, incidents.EventClosed, incidents.EventGaveUp,
		incidents.EventProposed, incidents.EventAccepted, incidents.EventRevoked, incidents.EventDemoted, incidents.EventWithheld:
		return true
	case incidents.EventRanked:
		return len(l.Event.Moved) > 0
	case incidents.EventRunFinished, incidents.EventRunFailed:
		return l.By.IsPerson() // who settled it; the run's message says the rest
	case incidents.EventDenied:
		return l.Said != "" // the request's message says that it was denied, but not why
	}
	return false
}

func lineTone(kind incidents.EventKind) Tone {
	switch kind {
	case incidents.EventEscalated:
		return ToneBad
	case incidents.EventReminded, incidents.EventGaveUp, incidents.EventDemoted, incidents.EventWithheld:
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
	if told := Told(v.lang, l); told != "" {
		return told
	}
	return Say(v.lang, l.Because)
}

// Told is what was said in somebody's own words: a person's, or a runbook's with the reason
// behind it. It is clean, and escaped by whoever shows it.
func Told(lang string, l *incidents.Line) string {
	switch {
	case l.Said != "":
		return Cut(Clean(l.Said), incidents.MaxNote)
	case l.Noted == nil:
		return ""
	}
	noted := Cut(Clean(l.Noted.In(lang)), incidents.MaxNote)
	if l.Because.Phrase == "" {
		return noted
	}
	return phrases.T(lang, "line.noted_because", "noted", noted, "because", Say(lang, l.Because))
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

// joinAlerts makes one event of alert events that follow one another, so that
// a storm is one line. What a room does not tell in a line of its own does not
// part them.
func joinAlerts(events []incidents.Event) []incidents.Event {
	out := make([]incidents.Event, 0, len(events))
	last := -1 // where the alert event stands that the next one would join
	for i := range events {
		e := &events[i]
		switch e.Kind {
		case incidents.EventAlerts:
			if last >= 0 && e.Alerts != nil {
				out[last] = joined(&out[last], e)
				continue
			}
			last = len(out)
		case incidents.EventRoomSynced, incidents.EventRoomOpened, incidents.EventLooked, incidents.EventDiagnosed, incidents.EventRanked:
		default:
			last = -1
		}
		out = append(out, *e)
	}
	return out
}

// joined is b with the counts of both.
func joined(a, b *incidents.Event) incidents.Event {
	e, n := *b, *b.Alerts
	if a.Alerts != nil {
		n.Firing += a.Alerts.Firing
		n.Back += a.Alerts.Back
		n.Reopens = n.Reopens || a.Alerts.Reopens
		n.Cleared += a.Alerts.Cleared
		n.Expired += a.Alerts.Expired
		n.Untracked += a.Alerts.Untracked
		n.Truncated += a.Alerts.Truncated
	}
	if a.Text != "" && a.Text != b.Text {
		e.Text = Cut(strings.TrimSpace(a.Text+"\n"+b.Text), incidents.MaxNote)
	}
	n.New, n.Tracks = nil, nil
	if n.Expired < n.Cleared { // some ended by themselves: then no one reason holds for all
		e.Because = incidents.Reason{}
	}
	e.Alerts = &n
	return e
}

// feedback says what votes did to the order: by is the ranking that followed a
// vote (by its event's Seq), told the rankings that are told with a vote.
type feedback struct {
	by   map[int64]*incidents.Event
	told map[int64]bool
}

// movedBy finds for each vote the ranking that followed it. Where
// several came before one ranking, nobody can say which of them did it, and
// the ranking has its own line.
func (v *view) movedBy(events []incidents.Event) feedback {
	f := feedback{by: map[int64]*incidents.Event{}, told: map[int64]bool{}}
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
				f.by[votes[0]], f.told[e.Seq] = e, true
			}
			votes = nil
		}
	}
	return f
}

// voted says in one line what a vote did: "👍 by bea: Restart the shop 2 → 1".
// sentence is what is said where the action is no longer in the list.
func (v *view) voted(vote, ranking *incidents.Event, sentence string) string {
	phrase := map[int]string{1: "line.vote_up", -1: "line.vote_down", 0: "line.vote_back"}[vote.Value]
	for _, m := range ranking.Moved {
		if m.Action == vote.Action {
			return v.t(phrase, "by", Who(vote.By), "move", v.moves([]incidents.RankMove{m}))
		}
	}
	for i := range ranking.Suggestions {
		if g := &ranking.Suggestions[i]; g.Action == vote.Action {
			stays := v.t("line.stays", "action", v.title(g.Title, g.Action), "rank", strconv.Itoa(g.Rank))
			return v.t(phrase, "by", Who(vote.By), "move", stays)
		}
	}
	return sentence
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
	Now   func() time.Time    // its time zone is the one that times are shown in; nil: time.Now
	Clean func(string) string // strikes secrets out of a postmortem; nil: there are none
}

func (t Story) now() time.Time {
	if t.Now == nil {
		return time.Now()
	}
	return t.Now()
}

// TimelineText is a line of the timeline as one text: what happened, and what
// was said, or why.
func TimelineText(lang string, l *incidents.Line) string {
	what := sentence(lang, l)
	if l.Kind == incidents.EventGaveUp {
		return GaveUp(lang, l.Event.Effect, l.Event.Text)
	}
	switch {
	case l.Said != "" || l.Noted != nil:
		return phrases.T(lang, "line.said", "what", what, "said", Line(Told(lang, l), incidents.MaxNote))
	case l.Because.Phrase != "" && l.Because.Phrase != "because.declared": // its sentence says so already
		return phrases.T(lang, "line.because", "what", what, "because", Say(lang, l.Because))
	}
	return what
}
