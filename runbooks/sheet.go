package runbooks

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Sheet is the runbook as a Markdown page for people (手順書): what it is for,
// where it acts, how it works, and every step with what it does and expects.
func Sheet(rb *Runbook, lang string, say Say) string {
	s := &sheet{lang: lang, say: say}
	s.line("# " + rb.Title.In(lang))
	s.linef("`%s` · %s", rb.ID, s.say(s.lang, "risk."+string(rb.Risk), nil))
	s.prose("what", rb.What)
	s.prose("where", rb.Where)
	s.prose("how", rb.How)
	if m := rb.Manual; !m.None() {
		s.line("## " + s.word("manual"))
		s.linef("%s · %s", m.From, codeSpan(m.Place()))
	}
	s.fits(rb)
	s.params(rb.Params)
	s.steps("check", rb.Check)
	s.steps("recover", rb.Recover)
	s.branches(rb.Branches)
	if rb.Changes() {
		s.verify(&rb.Verify)
		s.prose("effect", rb.Effect)
		s.prose("undo", rb.Undo)
		s.prose("escalate", rb.Escalate)
	}
	s.linef("---\n%s: %s\n\nSHA-256: `%s`", s.word("file"), rb.File, rb.Digest)
	return strings.TrimRight(s.b.String(), "\n") + "\n"
}

// PlanSheet is a plan as a page for people: exactly what would be run.
func PlanSheet(p incidents.Plan, lang string, say Say) string {
	s := &sheet{lang: lang, say: say}
	s.line("# " + p.Title.In(lang))
	s.linef("`%s` · %s", p.Runbook, s.say(s.lang, "risk."+string(p.Risk), nil))
	if p.Branch != nil {
		s.line(s.word("when") + " " + codeSpan(foundWords(p.Branch.Found)))
	}
	for _, name := range slices.Sorted(maps.Keys(p.Params)) {
		s.linef("`%s` = %s", name, codeSpan(p.Params[name]))
	}
	s.prose("effect", p.Effect)
	s.prose("undo", p.Undo)
	for _, section := range []struct {
		key   string
		steps []incidents.Step
	}{{"check", p.Check}, {"recover", p.Recover}, {"verify", p.Verify.Steps}} {
		if len(section.steps) > 0 {
			s.line("## " + s.word(section.key))
		}
		for i, step := range section.steps {
			s.resolved(i+1, &step)
		}
	}
	s.prose("escalate", p.Escalate)
	s.linef("---\nSHA-256: `%s`", p.Digest)
	return strings.TrimRight(s.b.String(), "\n") + "\n"
}

type sheet struct {
	b    strings.Builder
	lang string
	say  Say
}

func (s *sheet) word(key string, args ...string) string {
	r := incidents.Because("runbook.sheet."+key, args...)
	return s.say(s.lang, r.Phrase, r.Args)
}

// line writes a paragraph.
func (s *sheet) line(text string) {
	s.b.WriteString(text)
	s.b.WriteString("\n\n")
}

func (s *sheet) linef(format string, args ...any) { s.line(fmt.Sprintf(format, args...)) }

func (s *sheet) prose(key string, t incidents.Text) {
	if text := t.In(s.lang); text != "" {
		s.line("## " + s.word(key))
		s.line(text)
	}
}

func (s *sheet) fits(rb *Runbook) {
	s.line("## " + s.word("fits"))
	var rows []string
	if rb.Any {
		rows = append(rows, "- "+s.word("any"))
	}
	for _, m := range rb.Fits {
		rows = append(rows, "- "+codeSpan(m.String()))
	}
	if len(rb.Words) > 0 {
		rows = append(rows, "- "+s.word("words", "words", strings.Join(rb.Words, ", ")))
	}
	s.line(strings.Join(rows, "\n"))
	if len(rb.Customers) > 0 {
		s.line(s.word("customers", "customers", strings.Join(rb.Customers, ", ")))
	}
}

func (s *sheet) params(params []Param) {
	if len(params) == 0 {
		return
	}
	s.line("## " + s.word("params"))
	rows := []string{
		fmt.Sprintf("| %s | %s | %s | %s |", s.word("name"), s.word("allowed"), s.word("default"), s.word("meaning")), "|---|---|---|---|",
	}
	for i := range params {
		p := &params[i]
		from := cell(p.Default)
		if p.From != "" {
			from = strings.TrimSpace(s.word("from", "label", p.From) + " " + from)
		}
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s | %s |", p.Name, cell(p.Allowed()), from, strings.ReplaceAll(p.Title.In(s.lang), "|", "\\|")))
	}
	s.line(strings.Join(rows, "\n"))
}

func (s *sheet) steps(key string, steps []Step) {
	if len(steps) == 0 {
		return
	}
	s.line("## " + s.word(key))
	for i := range steps {
		s.step(i+1, &steps[i])
	}
}

// branches is a section for each way, in the order in which they are tried.
func (s *sheet) branches(branches []Branch) {
	if len(branches) == 0 {
		return
	}
	s.line("## " + s.word("branches"))
	s.line(s.word("first"))
	for i := range branches {
		b := &branches[i]
		s.linef("### %d. %s", i+1, b.title().In(s.lang))
		if b.Else {
			s.line(s.word("otherwise"))
		} else {
			s.line(s.word("when") + " " + codeSpan(b.When()))
		}
		for _, text := range []incidents.Text{b.Note, b.Effect, b.Undo, b.Close, b.Escalate} {
			if said := text.In(s.lang); said != "" {
				s.line(said)
			}
		}
		if len(b.Collect) > 0 {
			s.line(s.word("collect"))
		}
		for j, step := range slices.Concat(b.Recover, b.Collect) {
			s.step(j+1, &step)
		}
	}
}

func (s *sheet) step(n int, step *Step) {
	if step.Kind == KindRunbook {
		s.linef("%d. %s", n, cmp.Or(step.Title.In(s.lang), step.ID))
		s.line(indent(fence(step.Show())))
		s.line("   " + s.word("calls", "id", step.target))
		return
	}
	s.one(n, step.Title, step.ID, step.Show(), step.Expect.String(), step.Timeout, step.Retry)
}

func (s *sheet) resolved(n int, step *incidents.Step) {
	s.one(n, step.Title, step.ID, StepLine(*step), step.Expect, step.Timeout, step.Retry)
}

func (s *sheet) one(n int, text incidents.Text, id, does, expect string, timeout time.Duration, retry *incidents.Retry) {
	title := text.In(s.lang)
	if title == "" {
		title = id
	}
	s.linef("%d. %s", n, title)
	s.line(indent(fence(does)))
	times := ""
	if retry != nil {
		times = " · " + s.word("retry", "times", strconv.Itoa(retry.Times), "every", short(retry.Every))
	}
	s.linef("   %s %s · %s%s", s.word("expect"), codeSpan(expect), s.word("timeout", "timeout", short(timeout)), times)
}

func (s *sheet) verify(v *Verify) {
	s.line("## " + s.word("verify"))
	if v.SameAs != "" {
		s.line(s.word("same_as_check"))
	}
	alerts := "alerts_cleared"
	if v.NoAlerts {
		alerts = "alerts_ignored"
	}
	s.line(s.word(alerts) + " " + s.word("times", "every", short(v.Every), "stable", short(v.Stable), "within", short(v.Within)))
	if v.SameAs == "" {
		for i := range v.Steps {
			s.step(i+1, &v.Steps[i])
		}
	}
}

// short writes 5m instead of 5m0s.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// fence is a code block whose fence is longer than any run of backticks inside.
func fence(code string) string {
	ticks := strings.Repeat("`", max(3, longestRun(code, '`')+1))
	return ticks + "\n" + code + "\n" + ticks
}

func codeSpan(code string) string {
	ticks := strings.Repeat("`", longestRun(code, '`')+1)
	if len(ticks) > 1 {
		code = " " + code + " "
	}
	return ticks + code + ticks
}

// cell is a code span inside a table, where a bar would end it.
func cell(code string) string {
	if code == "" {
		return ""
	}
	return codeSpan(strings.ReplaceAll(code, "|", "\\|"))
}

func longestRun(s string, c byte) int {
	longest, run := 0, 0
	for i := range len(s) {
		if run++; s[i] != c {
			run = 0
		}
		longest = max(longest, run)
	}
	return longest
}

func indent(s string) string { return "   " + strings.ReplaceAll(s, "\n", "\n   ") }
