package runbooks

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Problem is something wrong with a runbook's file.
type Problem struct {
	File    string
	Line    int  // from 1; 0 where it is about the file as a whole
	Warning bool // it can be used as it is
	What    incidents.Reason
	Hint    incidents.Reason // what to do about it; may be empty
}

// Say puts a sentence of the catalogue into words; phrases.Fill is one.
type Say func(lang, key string, args map[string]string) string

// Text is the problem on one or two lines: file:line: what, and the hint.
func (p Problem) Text(lang string, say Say) string {
	at := p.File
	if p.Line > 0 {
		at = fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	severity := "runbook.lint.error"
	if p.Warning {
		severity = "runbook.lint.warning"
	}
	text := fmt.Sprintf("%s: %s: %s", at, say(lang, severity, nil), say(lang, p.What.Phrase, p.What.Args))
	if p.Hint.Phrase != "" {
		text += "\n    " + say(lang, p.Hint.Phrase, p.Hint.Args)
	}
	return text
}

// Errors are the problems that keep a runbook from being used.
func Errors(problems []Problem) []Problem {
	return slices.DeleteFunc(slices.Clone(problems), func(p Problem) bool { return p.Warning })
}

func sortProblems(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
}
