package runbooks

import (
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// maxPlace is how many characters the name of a page or a file's path may have.
const maxPlace = 300

var (
	trackerForm = regexp.MustCompile(`\A[a-z][a-z0-9_-]{0,30}\z`)
	refForm     = regexp.MustCompile(`\A[A-Za-z0-9][A-Za-z0-9._/-]{0,199}\z`) // git has more; whoever reads an address shall too
)

// manual reads {from: backlog, page: …} or {from: gitlab, file: …, ref: …}. That
// the tracker is there, and is of the right kind, is for the configuration to say.
func (r *reader) manual(n *yaml.Node) incidents.Manual {
	var m incidents.Manual
	f, ok := r.fields(n, "manual", "from", "page", "file", "ref")
	if !ok {
		return m
	}
	for _, part := range []struct {
		key, phrase string
		to          *string
		good        func(string) bool
	}{
		{"from", "runbook.lint.manual_from", &m.From, trackerForm.MatchString},
		{"page", "runbook.lint.manual_page", &m.Page, oneLine},
		{"file", "runbook.lint.manual_file", &m.File, goodPath},
		{"ref", "runbook.lint.manual_ref", &m.Ref, func(s string) bool { return f["file"] != nil && refForm.MatchString(s) && !strings.Contains(s, "..") }},
	} {
		at := f[part.key]
		if at == nil {
			continue
		}
		s, ok := r.str(at, part.key)
		if s = strings.TrimSpace(s); ok && !part.good(s) {
			r.fail(at, part.phrase, "value", fmt.Sprintf("%.100s", s), "max", strconv.Itoa(maxPlace))
		}
		*part.to = s
	}
	if f["from"] == nil {
		r.fail(n, "runbook.lint.manual_from", "value", "")
	}
	if (f["page"] == nil) == (f["file"] == nil) {
		r.fail(n, "runbook.lint.manual_place")
	}
	return m
}

func oneLine(s string) bool {
	return s != "" && utf8.RuneCountInString(s) <= maxPlace && !strings.ContainsFunc(s, unicode.IsControl)
}

func goodPath(s string) bool {
	return oneLine(s) && path.Clean(s) == s && !path.IsAbs(s) && s != "." && s != ".." && !strings.HasPrefix(s, "../")
}
