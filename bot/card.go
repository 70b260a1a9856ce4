package bot

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// card is the live card: how the incident stands, on top of the room.
func (v *view) card() Message {
	s := v.s
	m := Message{
		Key: keyCard, Kind: KindCard, Pinned: true, Tone: v.tone(), At: s.CreatedAt,
		Title: s.ID.String() + " " + Line(s.Title, incidents.MaxTitle),
		Text:  Line(s.Description, 1000),
	}
	if m.Text != "" && (s.Cleared() || !s.Status().Open()) { // it is not so any more
		m.Text = v.t("card.at_first", "text", m.Text)
	}
	unsettled := s.Status().Open() && s.Unsettled() != nil
	if unsettled { // nothing else goes on before a person has looked
		v.field(&m, "next", v.next())
	}
	v.field(&m, "status", StatusWord(v.lang, s.Status()))
	v.field(&m, "severity", v.severity())
	v.field(&m, "customer", Line(s.Customer, 60))
	v.field(&m, "service", Line(s.Service, 120))
	v.field(&m, "dependants", v.dependants())
	v.field(&m, "since", v.since())
	v.field(&m, "alerts", v.alerts())
	if a := s.AckedBy(); a != nil {
		v.field(&m, "acked", v.t("card.by_at", "by", Who(a.By), "at", Clock(v.lang, a.At, v.now)))
	} else if s.Status().Open() {
		v.field(&m, "acked", v.t("card.nobody"))
	}
	if s.Commander != nil {
		v.field(&m, "commander", Who(s.Commander.By))
	}
	v.field(&m, "responders", v.responders())
	v.tickets(&m)
	v.field(&m, "because", Say(v.lang, s.Because))
	if s.Because.Args["rule"] != s.Rule.Name { // else the reason names it
		v.field(&m, "rule", Line(s.Rule.Name, 120))
	}
	if !unsettled {
		v.field(&m, "next", v.next())
	}
	v.todos(&m)
	v.counts(&m)
	m.Buttons = v.cardButtons()
	v.trust(&m)
	m.Links = v.cardLinks()
	return m
}

// dependants are the services that depend on this one, as far as the first
// investigation knows.
func (v *view) dependants() string {
	for i := range v.s.Clues {
		if c := &v.s.Clues[i]; c.Says.Phrase == incidents.PhraseBlast {
			return Line(c.Says.Args["names"], incidents.MaxValue)
		}
	}
	return ""
}

// field adds a fact, unless there is nothing to say.
func (v *view) field(m *Message, name, value string) {
	if value != "" {
		m.Fields = append(m.Fields, Field{Name: v.t("card." + name), Value: value})
	}
}

// tickets says where the incident has its ticket, and what a tracker refused.
func (v *view) tickets(m *Message) {
	for _, tracker := range slices.Sorted(maps.Keys(v.s.Tickets)) {
		t := v.s.Tickets[tracker]
		switch {
		case t.Off || t.Key == "":
		case t.Status != "":
			v.field(m, "ticket", v.t("card.ticket_status", "key", Line(t.Key, 60), "status", Line(t.Status, 60)))
		default:
			v.field(m, "ticket", Line(t.Key, 60))
		}
		if t.Problem.Phrase != "" && !t.Off {
			v.field(m, "ticket_problem", Say(v.lang, t.Problem))
		}
	}
}

// counts adds what is left out and what could not be done: silence about
// either would be a lie.
func (v *view) counts(m *Message) {
	if v.s.Untracked > 0 {
		v.field(m, "untracked", count(v.lang, "card.untracked_n", v.s.Untracked, "max", strconv.Itoa(incidents.MaxTracked)))
	}
	if v.s.Truncated > 0 {
		v.field(m, "truncated", count(v.lang, "card.truncated_n", v.s.Truncated))
	}
	if v.s.Unheard > 0 {
		v.field(m, "unheard", count(v.lang, "card.unheard_n", v.s.Unheard, "max", strconv.Itoa(incidents.MaxSaid)))
	}
	const most = 5
	failed := slices.Sorted(maps.Keys(v.s.Failed))
	for i, key := range failed {
		if i == most {
			v.field(m, "gave_up", count(v.lang, "card.more", len(failed)-most))
			break
		}
		v.field(m, "gave_up", GaveUp(v.lang, key, v.s.Failed[key]))
	}
}

// GaveUp says in words which effect was given up, and why: its key 42/room/slack
// is for machines.
func GaveUp(lang, key, reason string) string {
	parts := strings.SplitN(key, "/", 3)
	kind, arg := "", ""
	if len(parts) > 1 {
		kind = parts[1]
	}
	if len(parts) > 2 {
		arg = parts[2]
	}
	phrase := "gave_up.other"
	switch incidents.EffectKind(kind) {
	case incidents.DoSyncRoom, incidents.DoSyncTicket, incidents.DoArchive, incidents.DoDiagnose, incidents.DoRank, incidents.DoRun, incidents.DoLook, incidents.DoTimer,
		incidents.DoAutomate, incidents.DoJudge:
		phrase = "gave_up." + kind
	}
	return phrases.T(lang, phrase, "what", Line(arg, 60), "effect", Line(key, 100), "reason", Line(reason, incidents.MaxValue))
}

// StatusWord is a status in the reader's words.
func StatusWord(lang string, status incidents.Status) string {
	return phrases.T(lang, "status."+string(status))
}

// severity is how bad it is. Where it is only assumed, it says so: an alert
// whose word for it nobody understood could be worse than it looks.
func (v *view) severity() string {
	sev := v.s.Severity().String()
	if word := UnknownSeverity(v.s); word != "" {
		return v.t("card.severity_assumed", "severity", sev, "word", word)
	}
	return sev
}

// UnknownSeverity is what the alerts say of their severity where that is no
// severity that we know, and nobody has set one; else "".
func UnknownSeverity(s *incidents.Incident) string {
	if s.SetSeverity != nil || s.AlertSeverity != incidents.SevUnknown {
		return ""
	}
	for i := range s.Samples {
		for _, name := range []string{"severity", "priority"} {
			if word := s.Samples[i].Labels.Get(name); word != "" {
				return Line(word, 40)
			}
		}
	}
	return ""
}

func (v *view) since() string {
	since := Clock(v.lang, v.s.OpenedAt, v.now)
	if v.s.Resolved != nil && !v.s.Status().Open() {
		return v.t("card.since_until", "since", since, "until", Clock(v.lang, v.s.Resolved.At, v.now),
			"took", Duration(v.lang, v.s.Resolved.At.Sub(v.s.OpenedAt)))
	}
	return since
}

func (v *view) alerts() string {
	firing := v.s.Alerts.Firing() + v.s.Untracked
	all := v.s.Alerts.Len() + v.s.Untracked
	if all == 0 {
		return v.t("card.no_alerts")
	}
	return v.t("card.alerts_n", "firing", strconv.Itoa(firing), "cleared", strconv.Itoa(all-firing))
}

func (v *view) responders() string {
	const most = 8
	var names []string
	for i, r := range v.s.Responders {
		if i == most {
			names = append(names, count(v.lang, "card.more", len(v.s.Responders)-most))
			break
		}
		names = append(names, Who(r.By))
	}
	return strings.Join(names, ", ")
}

func (v *view) tone() Tone {
	switch status := v.s.Status(); {
	case !status.Open():
		return ToneGood
	case status == incidents.Monitoring, status == incidents.Verifying:
		return ToneInfo
	case v.s.Severity() <= incidents.Sev2:
		return ToneBad
	default:
		return ToneWarn
	}
}

func (v *view) cardButtons() []Button {
	status := v.s.Status()
	if !status.Open() {
		buttons := []Button{}
		if status == incidents.Resolved {
			buttons = append(buttons, v.button("reopen", press{verb: pressReopen}, ""))
		}
		return append(buttons, v.button("postmortem", press{verb: pressPostmortem}, ""))
	}
	var buttons []Button
	if v.s.AckedBy() == nil {
		buttons = append(buttons, v.button("ack", press{verb: pressAck}, StylePrimary))
	}
	if v.s.Commander == nil {
		buttons = append(buttons, v.button("lead", press{verb: pressLead}, ""))
	}
	if r := v.s.Busy(); r == nil || r.State == incidents.RunVerifying {
		buttons = append(buttons, v.button("resolve", press{verb: pressResolve}, ""))
	}
	return buttons
}

// button makes a button whose label and hint are the sentences button.NAME and
// button.NAME.hint.
func (v *view) button(name string, p press, style Style) Button {
	p.incident = v.s.ID
	return Button{ID: p.encode(), Label: v.t("button." + name), Hint: v.t("button." + name + ".hint"), Style: style}
}

// cardLinks leads to the console, to the rooms in other chats and to what the
// alert itself names. The alert's links come from outside: only http and https
// go in, and the label shows the host they lead to.
func (v *view) cardLinks() []Link {
	var links []Link
	if u := v.links.Incident(v.s.ID); u != "" {
		links = append(links, Link{Label: v.t("link.incident"), URL: u})
	}
	for _, chat := range slices.Sorted(maps.Keys(v.s.Rooms)) {
		if u := v.s.Rooms[chat].URL; webURL(u) != nil && u != v.links.Incident(v.s.ID) {
			links = append(links, Link{Label: v.t("link.room", "chat", Line(chat, 40)), URL: u})
		}
	}
	for _, tracker := range slices.Sorted(maps.Keys(v.s.Tickets)) {
		if t := v.s.Tickets[tracker]; !t.Off && t.Key != "" && webURL(t.URL) != nil {
			links = append(links, Link{Label: Line(t.Key, 60), URL: t.URL})
		}
	}
	if len(v.s.Samples) == 0 {
		return links
	}
	a := &v.s.Samples[0]
	for _, l := range []struct{ phrase, url string }{
		{"link.runbook", a.Annotations.Get("runbook_url")},
		{"link.dashboard", a.Annotations.Get("dashboard_url")},
		{"link.source", a.GeneratorURL},
	} {
		if u := webURL(l.url); u != nil {
			links = append(links, Link{Label: v.t(l.phrase, "host", Line(u.Host, 80)), URL: u.String()})
		}
	}
	return links
}

// webURL is u parsed, or nil where it is no plain link to the web.
func webURL(u string) *url.URL {
	if u == "" || len(u) > 2000 || Clean(u) != u {
		return nil
	}
	p, err := url.Parse(u)
	if err != nil || p.Scheme != "http" && p.Scheme != "https" || p.Host == "" || p.User != nil {
		return nil
	}
	return p
}

func (v *view) t(key string, args ...string) string { return phrases.T(v.lang, key, args...) }
