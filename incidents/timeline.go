package incidents

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// Line is one line of the timeline that people read. It is a sentence of the
// catalogue and the words to fill it with, so that every chat, page and answer
// of the API says the same thing in its reader's language:
//
//	phrases.Fill(lang, l.Phrase.Phrase, l.Args(lang))
//
// Because, where it is set, is a second sentence that says why; Said is what a
// person wrote, in their own words, and stays untrusted.
type Line struct {
	At      time.Time       `json:"at"` // when it happened; lines are in this order
	Seq     int64           `json:"seq"`
	Kind    EventKind       `json:"kind"`
	By      Actor           `json:"by"`
	Event   *Event          `json:"-"`               // the whole event
	Phrase  Reason          `json:"phrase"`          // "timeline.<kind>", or a variant "timeline.<kind>.<variant>"
	Texts   map[string]Text `json:"texts,omitempty"` // places whose words depend on the language
	Because Reason          `json:"because,omitzero"`
	Said    string          `json:"said,omitempty"`
	Noted   *Text           `json:"noted,omitempty"`  // what a runbook says; untrusted too, for steps' results are in it
	Folded  int             `json:"folded,omitempty"` // how many events it stands for, where that is more than one
}

// Args are the words for the sentence's places in one language.
func (l *Line) Args(lang string) map[string]string {
	args := maps.Clone(l.Phrase.Args)
	if args == nil {
		args = make(map[string]string, len(l.Texts))
	}
	for place, text := range l.Texts {
		args[place] = text.In(lang)
	}
	return args
}

// Late says whether it was written down clearly later than it happened: news
// that was delayed, or somebody telling it afterwards.
func (l *Line) Late() bool { return l.Event.Written.Sub(l.At) > time.Minute }

// Reopens says whether it was over until then: a person's word, or an alert that began
// after the resolution.
func (l *Line) Reopens() bool {
	return l.Kind == EventReopened || l.Event.Alerts != nil && l.Event.Alerts.Reopens
}

// Timeline tells events in the order in which they happened. s is the state
// they belong to; events may be its whole log or a stretch of it. Several
// looks in a row are one line. Book-keeping is left out.
func Timeline(s *Incident, events []Event) []Line {
	n := narrator{s: s, titles: map[string]Text{}}
	for i := range events {
		n.learnTitles(&events[i])
	}
	var lines []Line
	onTimeline := pins(events)
	looking := map[string]int{} // run → where its present series of looks stands
	for i := range events {
		e := &events[i]
		if e.Kind == EventLooked {
			if at, ok := looking[e.RunID]; ok {
				folded := lines[at].Folded + 1
				lines[at] = n.looked(e, folded)
				continue
			}
			looking[e.RunID] = len(lines)
			lines = append(lines, n.looked(e, 1))
			continue
		}
		if e.Kind == EventPinned {
			if e = onTimeline[e.Seq]; e == nil {
				continue
			}
		}
		if !e.Visible() || e.Kind == EventRanked && !n.newRanking(e) {
			continue
		}
		if e.RunID != "" {
			delete(looking, e.RunID)
		}
		if e.Kind == EventOpened && (e.Opening == nil || !e.Opening.Declared) {
			lines = append(lines, n.began(e))
		}
		lines = append(lines, n.line(e))
	}
	slices.SortStableFunc(lines, func(a, b Line) int { return a.At.Compare(b.At) })
	return lines
}

// narrator finds the words for events: events name runs and actions by their
// ids, people know them by their titles.
type narrator struct {
	s      *Incident
	titles map[string]Text // by action
	ranked []string        // the latest order told
}

func (n *narrator) learnTitles(e *Event) {
	for i := range e.Suggestions {
		n.titles[e.Suggestions[i].Action] = e.Suggestions[i].Title
	}
	if e.Approval != nil {
		n.titles[e.Approval.Plan.Runbook] = e.Approval.Plan.Title
	}
}

// newRanking says whether an event about the ranking changed its order; a
// change of the evidence alone is no news for the timeline.
func (n *narrator) newRanking(e *Event) bool {
	order := make([]string, 0, len(e.Suggestions))
	for i := range e.Suggestions {
		order = append(order, e.Suggestions[i].Action)
	}
	same := n.ranked != nil && slices.Equal(order, n.ranked)
	n.ranked = order
	return !same
}

func (n *narrator) title(action string) Text {
	if t, ok := n.titles[action]; ok && t != (Text{}) {
		return t
	}
	if sug := n.s.suggestion(action); sug != nil && sug.Title != (Text{}) {
		return sug.Title
	}
	if r := n.s.runOf(action); r != nil && r.Plan.Title != (Text{}) {
		return r.Plan.Title
	}
	return Text{EN: action}
}

// planOf is the plan an event is about, through its approval or its run; nil
// where it is about none.
func (n *narrator) planOf(e *Event) *Plan {
	if e.Approval != nil {
		return &e.Approval.Plan
	}
	if a := n.s.approval(e.ApprovalID); a != nil {
		return &a.Plan
	}
	if r := n.s.run(e.RunID); r != nil {
		return &r.Plan
	}
	return nil
}

func newLine(e *Event, phrase Reason) Line {
	return Line{At: e.At, Seq: e.Seq, Kind: e.Kind, By: e.By, Event: e, Phrase: phrase}
}

// began is what the alerts say of the beginning, before we heard of it.
func (n *narrator) began(e *Event) Line {
	what := "alert"
	switch {
	case e.Alerts != nil && len(e.Alerts.New) > 0:
		what = e.Alerts.New[0].Name()
	case len(n.s.Samples) > 0: // the alerts came with the hold
		what = n.s.Samples[0].Name()
	}
	return newLine(e, Because("timeline.began", "name", what))
}

func (n *narrator) looked(e *Event, folded int) Line {
	passed := 0
	for i := range e.Steps {
		if e.Steps[i].OK {
			passed++
		}
	}
	line := newLine(e, Because("timeline.looked", "run", e.RunID, "looks", strconv.Itoa(folded),
		"passed", strconv.Itoa(passed), "n", strconv.Itoa(len(e.Steps))))
	line.Folded = folded
	if folded == 1 {
		line.Phrase.Phrase = "timeline.looked.once"
	}
	return line
}

// line tells one event.
func (n *narrator) line(e *Event) Line {
	line := newLine(e, Reason{})
	line.Because, line.Said, line.Noted = e.Because, e.Text, e.Note
	if e.Kind == EventOpened {
		line.At = later(e.At, e.Written) // when people were told; when it began is told apart
	}
	variant, args := n.words(e)
	phrase := "timeline." + string(e.Kind)
	if variant != "" {
		phrase += "." + variant
	}
	line.Phrase = Because(phrase, args...)
	if p := n.planOf(e); p != nil {
		line.Texts = map[string]Text{"action": n.title(p.Runbook)}
		if e.Kind == EventEscalated && p.Escalate != (Text{}) && e.Note == nil {
			line.Phrase.Phrase += ".advice"
			line.Texts["advice"] = p.Escalate
		}
	} else if action := actionOf(e); action != "" {
		line.Texts = map[string]Text{"action": n.title(action)}
	}
	return line
}

// actionOf is the action that a sentence without a plan is about.
func actionOf(e *Event) string {
	switch {
	case e.Action != "":
		return e.Action
	case e.Kind != EventRanked || len(e.Suggestions) == 0:
		return ""
	case len(e.Moved) > 0:
		return mover(e.Moved).Action
	default:
		return e.Suggestions[0].Action
	}
}

// mover is the move worth telling: the one that ends highest.
func mover(moves []RankMove) RankMove {
	best := moves[0]
	for _, m := range moves[1:] {
		if m.After > 0 && (best.After == 0 || m.After < best.After) {
			best = m
		}
	}
	return best
}
