package incidents

import (
	"slices"
	"time"
)

// Open begins an incident with the first alerts of its group.
type Open struct {
	ID       ID
	Shard    int
	Source   string
	Grouping Grouping
	Alerts   []Alert
	Keys     []Key // the alerts' fingerprints

	Truncated int // alerts that the sender left out

	Expected Expected
	Customer string // "" is nobody
}

// Expected is that alerts belong to a maintenance: nobody is told before its end.
type Expected struct {
	By    string // the window's name; "": they do not
	Until time.Time
}

func (c Open) decide(s *Incident, now time.Time) ([]Event, error) {
	if s.Version != 0 {
		return nil, Fail(Conflict, "error.exists", "incident "+s.ID.String()+" exists already", "id", s.ID.String())
	}
	first := slices.IndexFunc(c.Alerts, func(a Alert) bool { return !a.Resolved })
	if first < 0 {
		return nil, nil // only news of what is over: nothing to open
	}
	own := c.Alerts[first].own() // the incident outlives the record that the alert was read from
	a, rule := &own, c.Grouping.Rule
	o := &Opening{
		ID: c.ID, Shard: c.Shard, Group: c.Grouping.Key,
		Title: title(a), Description: description(a), Service: a.Service(), Customer: c.Customer, Source: c.Source,
		Rule: RuleRef{Name: rule.Name, Window: rule.Window, Reopen: rule.Reopen, Quiet: rule.Quiet, Severity: rule.Severity},
	}
	kind := EventOpened
	if rule.Hold > 0 {
		kind, o.HeldUntil = EventHeld, now.Add(rule.Hold)
	}
	if c.Expected.By != "" {
		kind, o.HeldUntil, o.Maintenance = EventHeld, later(o.HeldUntil, c.Expected.Until), c.Expected.By
	}
	news, _ := (&Incident{Rule: o.Rule}).news(c.Alerts, c.Keys, now)
	news.Truncated = c.Truncated
	began := a.StartsAt
	for _, other := range c.Alerts {
		if !other.Resolved && other.StartsAt.Before(began) {
			began = other.StartsAt
		}
	}
	return []Event{{Kind: kind, At: began, By: SourceActor(c.Source), Because: c.Grouping.Because.own(), Opening: o, Alerts: news}}, nil
}

// Declare opens an incident by hand.
type Declare struct {
	ID       ID
	Shard    int
	Title    string
	Severity Severity
	By       Actor
	Customer string // "" is nobody
}

// MaxTitle bounds a title, in bytes.
const MaxTitle = 200

func (c Declare) decide(s *Incident, now time.Time) ([]Event, error) {
	if s.Version != 0 {
		return nil, Fail(Conflict, "error.exists", "incident "+s.ID.String()+" exists already", "id", s.ID.String())
	}
	if c.Title == "" {
		return nil, Fail(Invalid, "error.no_title", "an incident needs a title").WithHint("/inc declare checkout is slow")
	}
	sev := c.Severity
	if sev == SevUnknown {
		sev = Sev3
	}
	return []Event{{
		Kind: EventOpened, By: c.By, Severity: sev,
		Because: Because("because.declared", "by", c.By.Name),
		Opening: &Opening{
			ID: c.ID, Shard: c.Shard, Title: cut(c.Title, MaxTitle), Customer: c.Customer, Declared: true,
			Rule: RuleRef{Reopen: DefaultReopen},
		},
	}}, nil
}

// release ends the hold: people are told, or it is dropped quietly.
func (s *Incident) release(time.Time) []Event {
	if s.Cleared() {
		return []Event{{Kind: EventDiscarded}}
	}
	return []Event{{Kind: EventOpened, At: s.OpenedAt, By: SourceActor(s.Source), Because: s.Because}}
}

func title(a *Alert) string {
	name, service := a.Name(), a.Service()
	if service == "" {
		return cut(name, MaxTitle)
	}
	return cut(name+" · "+service, MaxTitle)
}

func description(a *Alert) string {
	for _, name := range []string{"summary", "message", "description"} {
		if v := a.Annotations.Get(name); v != "" {
			return cut(v, 1000)
		}
	}
	return ""
}

// cut shortens s to at most n bytes without splitting a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	n -= len("…")
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n] + "…"
}
