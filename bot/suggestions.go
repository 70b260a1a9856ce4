package bot

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks"
)

// maxSuggestions is how many next actions a room shows; /inc suggest shows all.
const maxSuggestions = 5

// maxSteps is how many steps of a plan or a run a message shows.
const maxSteps = 12

// suggestions is the ranked list of next actions with their evidence.
func (v *view) suggestions() Message {
	s := v.s
	m := Message{Key: keySuggestions, Kind: KindSuggestions, Tone: ToneInfo, At: s.CreatedAt, Title: v.t("suggestions.title")}
	if s.RankedAt.IsZero() {
		m.Text = v.t("suggestions.waiting")
		return m
	}
	m.At = s.RankedAt
	if len(s.Suggestions) == 0 {
		m.Tone, m.Text = ToneWarn, v.t("suggestions.none")
		if why := Say(v.lang, s.NoAction); why != "" {
			m.Text = why // a sentence that says it too
		}
		return m
	}
	for i := range s.Suggestions {
		if i == maxSuggestions && !v.all {
			m.Text = count(v.lang, "suggestions.more", len(s.Suggestions)-maxSuggestions)
			break
		}
		m.Items = append(m.Items, v.item(&s.Suggestions[i]))
	}
	return m
}

func (v *view) item(g *incidents.Suggestion) Item {
	return Item{
		Rank: g.Rank, Moved: v.moved(g.Action), Fell: v.fell(g.Action), Title: v.title(g.Title, g.Action),
		Evidence: Evidence(v.lang, g.Evidence, v.s.RankedAt), Risk: RiskWord(v.lang, g.Plan.Risk),
		Code: v.steps(g.Plan.Recover), Link: v.manual(g.Action), Up: g.Evidence.Up, Down: g.Evidence.Down,
		Buttons: v.itemButtons(g),
	}
}

func (v *view) itemButtons(g *incidents.Suggestion) []Button {
	var buttons []Button
	// While nobody knows what became of a run, its own message asks for that first.
	if v.s.Status().Open() && v.s.Busy() == nil && v.s.Unsettled() == nil && !v.waits(g.Plan.Digest) {
		if g.Plan.TwoMust() {
			buttons = append(buttons, v.button("ask_run", press{verb: pressAskAction, ref: actionRef(g.Action), check: g.Plan.Digest}, StyleDanger))
		} else {
			buttons = append(buttons, v.button("approve_run", press{verb: pressApproveAction, ref: actionRef(g.Action), check: g.Plan.Digest}, StylePrimary))
		}
	}
	return append(buttons,
		v.button("up", press{verb: pressUp, ref: actionRef(g.Action)}, StyleUp),
		v.button("down", press{verb: pressDown, ref: actionRef(g.Action)}, StyleDown),
		v.button("why", press{verb: pressWhy, ref: actionRef(g.Action)}, ""))
}

// waits says whether a request to run this very plan waits already.
func (v *view) waits(digest string) bool {
	for _, a := range v.s.PendingApprovals() {
		if a.Plan.Digest == digest {
			return true
		}
	}
	return false
}

// fell says whether the latest feedback moved an action down.
func (v *view) fell(action string) bool {
	return slices.ContainsFunc(v.s.Moved, func(m incidents.RankMove) bool {
		return m.Action == action && m.Before > 0 && m.After > m.Before
	})
}

// moved is what the latest feedback did to an action's rank: "2 → 1".
func (v *view) moved(action string) string {
	for _, m := range v.s.Moved {
		if m.Action == action {
			return v.move(m)
		}
	}
	return ""
}

func (v *view) move(m incidents.RankMove) string {
	switch {
	case m.Before == 0:
		return v.t("suggestions.joined", "after", strconv.Itoa(m.After))
	case m.After == 0:
		return v.t("suggestions.left", "before", strconv.Itoa(m.Before))
	}
	return strconv.Itoa(m.Before) + " → " + strconv.Itoa(m.After)
}

// Evidence says in one line why an action stands where it stands: "worked 7 of
// 9 here · 👍5 👎1 · last 12 days ago · median 48 s".
func Evidence(lang string, e incidents.Evidence, now time.Time) string {
	parts := []string{phrases.T(lang, "evidence.untried")}
	if e.Tried > 0 {
		parts[0] = phrases.T(lang, "evidence.worked", "worked", strconv.Itoa(e.Worked), "tried", strconv.Itoa(e.Tried))
	}
	if e.Up > 0 || e.Down > 0 {
		parts = append(parts, "👍"+strconv.Itoa(e.Up)+" 👎"+strconv.Itoa(e.Down))
	}
	if len(e.Said) > 0 {
		parts = append(parts, objected(lang, e.Said))
	}
	if !e.LastAt.IsZero() {
		parts = append(parts, phrases.T(lang, "evidence.last", "ago", Ago(lang, e.LastAt, now)))
	}
	if e.Median > 0 {
		parts = append(parts, phrases.T(lang, "evidence.median", "took", Duration(lang, e.Median)))
	}
	return strings.Join(parts, " · ")
}

// RiskWord is how much an action can hurt, in the reader's words.
func RiskWord(lang string, r incidents.Risk) string {
	switch r {
	case incidents.RiskRead, incidents.RiskLow, incidents.RiskHigh:
		return phrases.T(lang, "risk."+string(r))
	}
	return phrases.T(lang, "risk.unknown")
}

// steps shows exactly what would be done, each step as it would be sent.
func (v *view) steps(steps []incidents.Step) []Code {
	var out []Code
	for i := range steps {
		if i == maxSteps {
			return append(out, Code{Text: count(v.lang, "card.more", len(steps)-maxSteps)})
		}
		out = append(out, Code{Label: v.title(steps[i].Title, steps[i].ID), Text: StepText(&steps[i])})
	}
	return out
}

// StepText shows what a step does, exactly: an argument that is not a plain
// word is quoted, and what does not print is written out, so that nothing in it
// can hide or pass for two.
func StepText(s *incidents.Step) string {
	switch {
	case s.Note != nil, s.Kind == runbooks.KindInfluxQL:
		return Cut(printed(runbooks.StepLine(*s)), maxOutput)
	case len(s.Argv) > 0:
		shown := make([]string, 0, len(s.Argv))
		for _, arg := range s.Argv {
			shown = append(shown, argument(arg))
		}
		return Cut(strings.Join(shown, " "), maxOutput)
	case s.URL != "":
		method := s.Method
		if method == "" {
			method = "GET"
		}
		return Cut(argument(method)+" "+printed(s.URL), maxOutput)
	default:
		return Cut(printed(s.Query), maxOutput)
	}
}

// printed is text as it is where all of it prints, else written out.
func printed(s string) string {
	if Clean(s) == s {
		return s
	}
	return strconv.QuoteToASCII(s)
}

func argument(s string) string {
	if Clean(s) != s || strings.ContainsAny(s, "\n\t") {
		return strconv.QuoteToASCII(s)
	}
	return runbooks.CommandLine([]string{s})
}
