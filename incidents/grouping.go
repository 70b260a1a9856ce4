package incidents

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Reason is a "because" that each reader gets in their own language: the name
// of a sentence in the catalogue (bot/phrases) and the words to fill it with.
type Reason struct {
	Phrase string            `json:"phrase,omitempty"`
	Args   map[string]string `json:"args,omitempty"`
}

// Because makes a Reason from a phrase and name, value pairs.
func Because(phrase string, args ...string) Reason {
	r := Reason{Phrase: phrase}
	if len(args) > 0 {
		r.Args = make(map[string]string, len(args)/2)
	}
	for i := 0; i+1 < len(args); i += 2 {
		r.Args[args[i]] = args[i+1]
	}
	return r
}

// own is a copy that shares no memory with whatever its words were read from.
func (r Reason) own() Reason {
	words := make(map[string]string, len(r.Args))
	for name, word := range r.Args {
		words[name] = strings.Clone(word)
	}
	r.Args = words
	return r
}

// Rule says which alerts are one incident. The first rule that matches an
// alert decides.
type Rule struct {
	Name    string
	Match   []Matcher     // all must hold; none matches everything
	GroupBy []string      // alerts equal in these labels are one incident
	Window  time.Duration // a new alert joins until this long after the incident's latest; 0: as long as it is open
	Hold    time.Duration // open only if something still fires after this; 0: at once
	Reopen  time.Duration // an alert within this after the resolution reopens; afterwards it is a new incident
	Quiet   time.Duration // resolve by itself when nothing has fired for this long; 0: never

	Severity Severity // overrides what the alerts say; SevUnknown: as they say
}

// Defaults of a rule, and of alerts that no rule matches.
const (
	DefaultReopen = 30 * time.Minute
	DefaultQuiet  = 5 * time.Minute
)

// Matcher compares one label: =, !=, =~ and !~ as Prometheus has them, the
// regular expressions (RE2) anchored at both ends.
type Matcher struct {
	Label, Op, Value string
	re               *regexp.Regexp
}

var matcherForm = regexp.MustCompile(`^\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*"?([^"]*)"?\s*$`)

// maxPattern bounds a regular expression, in bytes.
const maxPattern = 1024

// ParseMatcher reads label="value", label!="value", label=~"re", label!~"re".
func ParseMatcher(s string) (Matcher, error) {
	part := matcherForm.FindStringSubmatch(s)
	if part == nil {
		return Matcher{}, fmt.Errorf("matcher %q is not of the form label=\"value\" (or !=, =~, !~)", s)
	}
	m := Matcher{Label: part[1], Op: part[2], Value: part[3]}
	if strings.HasSuffix(m.Op, "~") {
		if len(m.Value) > maxPattern {
			return Matcher{}, fmt.Errorf("matcher on %s: pattern is longer than %d bytes", m.Label, maxPattern)
		}
		// Alone first: a pattern such as "a)|(b" would break out of the anchors.
		if _, err := regexp.Compile(m.Value); err != nil {
			return Matcher{}, fmt.Errorf("matcher %q: %w", s, err)
		}
		re, err := regexp.Compile(`\A(?:` + m.Value + `)\z`)
		if err != nil {
			return Matcher{}, fmt.Errorf("matcher %q: %w", s, err)
		}
		m.re = re
	}
	return m, nil
}

// Matches says whether l satisfies the matcher; an absent label is "".
func (m Matcher) Matches(l Labels) bool {
	v := l.Get(m.Label)
	switch m.Op {
	case "=":
		return v == m.Value
	case "!=":
		return v != m.Value
	case "=~":
		return m.re.MatchString(v)
	default:
		return !m.re.MatchString(v)
	}
}

func (m Matcher) String() string { return fmt.Sprintf("%s%s%q", m.Label, m.Op, m.Value) }

// Grouping is the decision of which incident an alert belongs to.
type Grouping struct {
	Key     Key
	Rule    Rule // with its defaults filled in; Rule.Name is "" where no rule matched
	Because Reason
}

// Rules in order of precedence.
type Rules []Rule

// Group decides for one alert. A sender's own key for the alert (DedupLabel)
// makes it an incident of its own, so that the key alone can resolve it; the
// first rule that matches then only times it. Else the first rule that matches
// decides; where none does, the sender's key for the group (Alertmanager already
// grouped, by its own configuration), else service and alert name.
func (r Rules) Group(senderKey string, a *Alert) Grouping {
	g := Grouping{Key: r.Key(senderKey, a), Rule: Rule{Reopen: DefaultReopen, Quiet: DefaultQuiet}}
	rule := r.match(a)
	if rule != nil {
		g.Rule = *rule
		g.Rule.Reopen = cmp.Or(rule.Reopen, DefaultReopen)
	}
	switch dedup := a.Labels.Get(DedupLabel); {
	case dedup != "":
		g.Because = Because("because.dedup_key", "key", dedup)
	case rule != nil:
		g.Because = rule.because(a)
	case senderKey != "":
		g.Because = Reason{Phrase: "because.sender_group"}
	default:
		g.Because = Because("because.service_and_name", "service", a.Service(), "name", a.Name())
	}
	return g
}

// Key is Group's key: all that is needed to find the alert's group, for a
// fraction of what the whole decision costs.
func (r Rules) Key(senderKey string, a *Alert) Key {
	if dedup := a.Labels.Get(DedupLabel); dedup != "" {
		return KeyOf("dedup", a.Labels.Get("source"), dedup)
	}
	if rule := r.match(a); rule != nil {
		return rule.key(a)
	}
	if senderKey != "" {
		return KeyOf("sender", senderKey)
	}
	return KeyOf("service", a.Service(), a.Name())
}

// match is the first rule that matches the alert, or nil.
func (r Rules) match(a *Alert) *Rule {
	for i := range r {
		if r[i].matches(a) {
			return &r[i]
		}
	}
	return nil
}

func (r *Rule) matches(a *Alert) bool {
	for i := range r.Match {
		if !r.Match[i].Matches(a.Labels) {
			return false
		}
	}
	return true
}

func (r *Rule) key(a *Alert) Key {
	var room [16]string
	parts := append(room[:0], "rule", r.Name)
	for _, label := range r.GroupBy {
		parts = append(parts, label, a.Labels.Get(label))
	}
	return KeyOf(parts...)
}

func (r *Rule) because(a *Alert) Reason {
	if len(r.GroupBy) == 0 {
		return Because("because.rule_all", "rule", r.Name)
	}
	shown := make([]string, 0, len(r.GroupBy))
	for _, label := range r.GroupBy {
		shown = append(shown, label+"="+a.Labels.Get(label))
	}
	return Because("because.rule", "rule", r.Name, "labels", strings.Join(shown, ", "))
}
