package runbooks

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

const noteBook = `id: noting
title: {en: Noting, ja: メモ}
fits: ['service="web"']
risk: low
params:
  v: {type: string, match: '.*', default: x}
recover:
  - {id: first, command: {argv: [printf, '%s %s', one, canary-secret]}}
  - note: {en: 'Got {steps.first.value} for {v}', ja: '{v}: {steps.first.output}'}
  - {id: second, command: {argv: [printf, two]}}
verify:
  steps: [{command: {argv: ['true']}}]
  stable: 1s
  within: 1m
escalate: {en: x, ja: x}
`

// A note says what an earlier step found, without its secrets, and what a parameter says is
// not read again.
func TestNoteBetweenSteps(t *testing.T) {
	t.Parallel()
	l := load(t, nil, noteBook)
	var told []incidents.Text
	var fails error
	r := newRunner(t, RunnerOptions{Library: l, Secrets: []string{"canary-secret"}, Notes: func(_ context.Context, id incidents.ID, run, step string, note incidents.Text) error {
		if id != 42 || run != "INC-42/1" || step != "recover-2" {
			t.Errorf("told %s %s %s", id, run, step)
		}
		told = append(told, note)
		return fails
	}})
	plan, err := l.Get("noting").Plan(incident("service", "web"), map[string]string{"v": "{steps.first.value} {v}"})
	if err != nil {
		t.Fatal(err)
	}
	_, done := r.Run(t.Context(), plan, "INC-42/1")
	if !incidents.AllOK(done) || len(done) != 3 || len(told) != 1 {
		t.Fatalf("%+v, told %v", done, told)
	}
	if n := told[0]; !strings.HasPrefix(n.EN, "Got exit 0: one ") || !strings.HasSuffix(n.EN, " for {steps.first.value} {v}") || !strings.HasPrefix(n.JA, "{steps.first.value} {v}: one ") || strings.Contains(n.EN+n.JA, "canary-secret") {
		t.Errorf("%+v", n)
	}
	fails = errors.New("the store is away")
	if _, done := r.Run(t.Context(), plan, "INC-42/1"); !incidents.AllOK(done) || done[1].Because.Phrase != "runbook.not_noted" {
		t.Errorf("a note that cannot be told: %+v", done)
	}
}

func TestNotesThatAreRefused(t *testing.T) {
	t.Parallel()
	for phrase, change := range map[string][2]string{
		"runbook.lint.note_step":  {"steps.first.value", "steps.second.value"},
		"runbook.lint.bad_place":  {"steps.first.value", "steps.first.argv"},
		"runbook.lint.retry_note": {"  - note: {", "  - retry: {times: 2}\n    note: {"},
		"runbook.lint.note_place": {"[{command: {argv: ['true']}}]", "[{note: {en: x, ja: x}}]"},
		"runbook.lint.want_text":  {"{en: 'Got {steps.first.value} for {v}', ja: '{v}: {steps.first.output}'}", "''"},
	} {
		_, problems := Parse("n.yaml", []byte(strings.Replace(noteBook, change[0], change[1], 1)), nil)
		if !slices.ContainsFunc(problems, func(p Problem) bool { return p.What.Phrase == phrase }) {
			t.Errorf("%s: %v", phrase, problems)
		}
	}
	only := strings.NewReplacer("  - {id: first, command: {argv: [printf, '%s %s', one, canary-secret]}}\n", "", "  - {id: second, command: {argv: [printf, two]}}\n", "").Replace(noteBook)
	if _, problems := Parse("n.yaml", []byte(only), nil); !slices.ContainsFunc(problems, func(p Problem) bool { return p.What.Phrase == "runbook.lint.only_notes" }) {
		t.Errorf("only notes: %v", problems)
	}
}

func TestCloseIsForWhenAllIsWell(t *testing.T) {
	t.Parallel()
	book := `id: closing
title: {en: Closing, ja: 終了}
fits: ['service="web"']
check:
  - {id: a, command: {argv: ['true']}}
  - {id: b, command: {argv: ['true']}}
branches:
  - {id: well, when: {a: up, b: up}, close: {en: All is well., ja: すべて正常です。}}
  - {id: rest, otherwise: true, escalate: {en: Call somebody., ja: 連絡してください。}}
`
	l := load(t, nil, book)
	findings := newRunner(t, RunnerOptions{Library: l}).Diagnose(t.Context(), incident("service", "web"))
	if way := findings[len(findings)-1]; way.Closes == nil || way.Closes.EN != "All is well." || way.Calls != nil {
		t.Errorf("%+v", findings)
	}
	down := newRunner(t, RunnerOptions{Library: load(t, nil, strings.Replace(book, "id: b, command: {argv: ['true']}", "id: b, command: {argv: ['false']}", 1))})
	findings = down.Diagnose(t.Context(), incident("service", "web"))
	if way := findings[len(findings)-1]; way.Calls == nil || way.Calls.JA != "連絡してください。" || way.Closes != nil {
		t.Errorf("%+v", findings)
	}
	for phrase, change := range map[string][2]string{
		"runbook.lint.close_when": {"when: {a: up, b: up}", "when: {a: up}"},
		"runbook.lint.close_with": {"close: {en", "escalate: {en: x, ja: x}, close: {en"},
	} {
		_, problems := Parse("c.yaml", []byte(strings.Replace(book, change[0], change[1], 1)), nil)
		if !slices.ContainsFunc(problems, func(p Problem) bool { return p.What.Phrase == phrase }) {
			t.Errorf("%s: %v", phrase, problems)
		}
	}
}
