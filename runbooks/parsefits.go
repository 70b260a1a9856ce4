package runbooks

import (
	"errors"
	"regexp/syntax"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

const (
	maxMatchers = 32
	maxWords    = 32
	maxWord     = 64 // bytes
)

func (r *reader) fits(rb *Runbook, f fields, root *yaml.Node) {
	if n := f["words"]; n != nil {
		for _, w := range r.items(n, "words", maxWords) {
			if s, ok := r.str(w, "words"); ok && (len(strings.TrimSpace(s)) < 2 || len(s) > maxWord) {
				r.fail(w, "runbook.lint.bad_word", "word", s)
			} else if ok {
				rb.Words = append(rb.Words, strings.TrimSpace(s))
			}
		}
	}
	n := f["fits"]
	switch {
	case n == nil && len(rb.Words) == 0:
		r.fail(root, "runbook.lint.no_fits")
	case n == nil:
	case n.Kind == yaml.ScalarNode && n.Value == "any":
		if rb.Any = true; rb.Changes() {
			r.fail(n, "runbook.lint.fits_any")
		}
	default:
		r.matchers(rb, n)
	}
}

func (r *reader) matchers(rb *Runbook, n *yaml.Node) {
	items := r.items(n, "fits", maxMatchers)
	if len(items) == 0 && n.Kind == yaml.SequenceNode {
		r.fail(n, "runbook.lint.no_fits")
		return
	}
	narrow := false
	for _, item := range items {
		s, ok := r.str(item, "fits")
		if !ok {
			continue
		}
		m, err := incidents.ParseMatcher(s)
		if wrong, ok := errors.AsType[*syntax.Error](err); ok {
			if strings.Contains(wrong.Expr, `\z`) { // our anchor: only as a part of a larger one is it wrong
				r.fail(item, "runbook.lint.pattern_open", "pattern", s)
				continue
			}
			err = errors.New(patternError(wrong))
		}
		if err != nil {
			r.fail(item, "runbook.lint.bad_matcher", "matcher", s, "error", err.Error())
			continue
		}
		if other := slices.IndexFunc(rb.Fits, func(o incidents.Matcher) bool { return contradict(o, m) || contradict(m, o) }); other >= 0 {
			r.fail(item, "runbook.lint.never_fits", "matcher", m.String(), "other", rb.Fits[other].String())
		}
		narrow = narrow || !m.Matches(nil)
		rb.Fits = append(rb.Fits, m)
	}
	// A list that an alert without any labels satisfies satisfies nearly all.
	if len(items) > 0 && len(rb.Fits) == len(items) && !narrow {
		if rb.Changes() {
			r.fail(n, "runbook.lint.fits_nearly_all")
		} else {
			r.warn(n, "runbook.lint.fits_nearly_all")
		}
	}
}

// contradict says that no alert can satisfy both: a wants one value of a label
// that b refuses.
func contradict(a, b incidents.Matcher) bool {
	return a.Op == "=" && a.Label == b.Label && !b.Matches(incidents.Labels{{Name: a.Label, Value: a.Value}})
}
