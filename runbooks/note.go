package runbooks

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// KindNote is a step of recover that tells the incident something, between two others. It
// does nothing else.
const KindNote = "note"

// Bounds on notes, in bytes.
const (
	maxNote   = 1000 // with everything that was put in
	maxQuoted = 300  // of what one step found
)

// A noteTemplate is text with places for parameters, and for what earlier steps of the same
// recovery found: {steps.ID.value}, their one line, and {steps.ID.output}.
type noteTemplate []notePart

type notePart struct {
	text   template
	step   string // an earlier step's id; then there is no text
	output bool
}

var foundForm = regexp.MustCompile(`\{steps\.([a-z0-9][a-z0-9_-]{0,31})\.(value|output)\}`)

// note reads what the step says, in one language or in both.
func (r *reader) note(s *Step, n *yaml.Node, changes bool) {
	if !changes {
		r.fail(n, "runbook.lint.note_place")
	}
	said := r.text(n, KindNote)
	switch {
	case said == (incidents.Text{}):
		r.fail(n, "runbook.lint.want_text", "key", KindNote)
	case said.JA == "":
		r.warn(n, "runbook.lint.no_japanese", "key", KindNote)
	case said.EN == "":
		r.warn(n, "runbook.lint.no_english", "key", KindNote)
	}
	s.noteEN, s.noteJA = r.noteText(n, said.EN), r.noteText(n, said.JA)
}

func (r *reader) noteText(n *yaml.Node, text string) (parts noteTemplate) {
	plain := func(piece string) {
		t, bad := parseTemplate(piece, r.vars)
		if bad != nil {
			r.templateFail(n, bad)
		} else if len(t) > 0 {
			parts = append(parts, notePart{text: t})
		}
	}
	from := 0
	for _, at := range foundForm.FindAllStringSubmatchIndex(text, -1) {
		plain(text[from:at[0]])
		parts = append(parts, notePart{step: text[at[2]:at[3]], output: text[at[4]:at[5]] == "output"})
		from = at[1]
	}
	plain(text[from:])
	return parts
}

// notes checks what the notes of a recovery refer to, and that they are not all of it.
func (r *reader) notes(n *yaml.Node, read []Step) {
	if len(read) > 0 && !slices.ContainsFunc(read, func(s Step) bool { return s.Kind != KindNote }) {
		r.fail(n, "runbook.lint.only_notes")
	}
	for i := range read {
		for _, p := range slices.Concat(read[i].noteEN, read[i].noteJA) {
			found := func(s Step) bool { return s.ID == p.step && s.Kind != KindNote && s.Kind != KindRunbook }
			if p.step != "" && !slices.ContainsFunc(read[:i], found) {
				r.fail(n, "runbook.lint.note_step", "step", p.step)
			}
		}
	}
}

// fill puts the parameters in. The places of steps stay places: a plan has them apart from
// its text, so that no value can become one.
func (t noteTemplate) fill(values map[string]string) []incidents.NotePart {
	var parts []incidents.NotePart
	for _, p := range t {
		if p.step != "" {
			parts = append(parts, incidents.NotePart{Step: p.step, Output: p.output})
		} else {
			parts = append(parts, incidents.NotePart{Text: p.text.fill(values, asIs)})
		}
	}
	return parts
}

func (t noteTemplate) params() (names []string) {
	for _, p := range t {
		names = append(names, p.text.params()...)
	}
	return names
}

// noted is the note of a plan.
func (s *Step) noted(values map[string]string) *incidents.NoteText {
	return &incidents.NoteText{EN: s.noteEN.fill(values), JA: s.noteJA.fill(values)}
}

// noteShown is the note as it was written.
func (s *Step) noteShown() string {
	shown := map[string]string{}
	for _, name := range append(s.noteEN.params(), s.noteJA.params()...) {
		shown[name] = "{" + name + "}"
	}
	return noteLine(s.noted(shown))
}

func placeOf(p incidents.NotePart) string {
	if p.Output {
		return "{steps." + p.Step + ".output}"
	}
	return "{steps." + p.Step + ".value}"
}

// noteLine is what a plan's note says, its places as they are.
func noteLine(n *incidents.NoteText) string {
	if n == nil {
		return ""
	}
	parts := n.EN
	if len(parts) == 0 {
		parts = n.JA
	}
	var b strings.Builder
	for _, p := range parts {
		if p.Step != "" {
			b.WriteString(placeOf(p))
		} else {
			b.WriteString(p.Text)
		}
	}
	return b.String()
}

// under puts the way to a called runbook's steps in front of the steps that its notes name.
func under(n *incidents.NoteText, prefix string) {
	if n == nil {
		return
	}
	for _, parts := range [][]incidents.NotePart{n.EN, n.JA} {
		for i := range parts {
			if parts[i].Step != "" {
				parts[i].Step = prefix + parts[i].Step
			}
		}
	}
}

// Notes tells an incident what a run notes, once for each step.
type Notes func(ctx context.Context, id incidents.ID, run, step string, note incidents.Text) error

// noteTime bounds the telling: the steps that follow do not wait for a store that is away.
const noteTime = 5 * time.Second

// note tells what an earlier step found. That it could not be told stops no remedy: it
// stands in the run's own results all the same, and says there that it was not.
func (r *Runner) note(ctx context.Context, step incidents.Step, plan incidents.Plan, execution string, done []incidents.StepResult) incidents.StepResult {
	began := time.Now()
	var said incidents.Text
	if step.Note != nil {
		said = incidents.Text{EN: r.said(step.Note.EN, done), JA: r.said(step.Note.JA, done)}
	}
	result := incidents.StepResult{Step: step.ID, Title: step.Title, OK: true, Value: steps.CutLine(said.In("en"), maxLine)}
	if r.notes != nil {
		ctx, cancel := context.WithTimeout(ctx, noteTime)
		defer cancel()
		if err := r.notes(ctx, plan.Incident, execution, step.ID, said); err != nil {
			r.log.Warn("a note was not told", "run", execution, "step", step.ID, "error", err)
			result.Because = incidents.Because("runbook.not_noted")
		}
	}
	result.Elapsed = time.Since(began)
	return result
}

// said fills a note. What was found is clean already; a parameter may hold a secret.
func (r *Runner) said(parts []incidents.NotePart, done []incidents.StepResult) string {
	var b strings.Builder
	for _, p := range parts {
		if p.Step == "" {
			b.WriteString(r.redact.Clean(p.Text))
			continue
		}
		if at := slices.IndexFunc(done, func(d incidents.StepResult) bool { return d.Step == p.Step }); at >= 0 {
			found := done[at].Value
			if p.Output {
				found = strings.TrimSpace(done[at].Output)
			}
			b.WriteString(steps.CutLine(found, maxQuoted))
		}
	}
	return steps.CutLine(b.String(), maxNote)
}
