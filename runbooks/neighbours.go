package runbooks

import (
	"path/filepath"
	"slices"
)

// ParseWith reads one runbook as [Parse] does, and what it calls from the files
// beside it. content is that of the file called name.
func ParseWith(name string, content []byte, values map[string]string) (*Runbook, []Problem) {
	rb, problems := Parse(name, content, values)
	if rb == nil || len(rb.targets()) == 0 {
		return rb, problems
	}
	good, found := link(withNeighbours([]*Runbook{rb}, values))
	problems = append(problems, about(found, rb)...)
	sortProblems(problems)
	if !slices.Contains(good, rb) {
		return nil, problems
	}
	return rb, problems
}

// targets are the ids of the runbooks that it calls.
func (rb *Runbook) targets() []string {
	var ids []string
	for _, way := range rb.ways() {
		for i := range way {
			if way[i].Kind == KindRunbook {
				ids = append(ids, way[i].target)
			}
		}
	}
	return ids
}

// withNeighbours adds the runbooks beside the files, where any is called that is
// not among them. What is wrong with those is for whoever lints them.
func withNeighbours(all []*Runbook, values map[string]string) []*Runbook {
	has := func(id string) bool { return slices.ContainsFunc(all, func(rb *Runbook) bool { return rb.ID == id }) }
	for _, rb := range slices.Clone(all) {
		if !slices.ContainsFunc(rb.targets(), func(id string) bool { return !has(id) }) {
			continue
		}
		disk := &shelfReader{lenient: true}
		disk.path(filepath.Dir(rb.File))
		for _, f := range disk.files {
			if other, _ := Parse(f.name, f.content, values); other != nil && !has(other.ID) {
				all = append(all, other)
			}
		}
	}
	return all
}

// about are the problems of these runbooks' files.
func about(problems []Problem, some ...*Runbook) []Problem {
	return slices.DeleteFunc(problems, func(p Problem) bool {
		return !slices.ContainsFunc(some, func(rb *Runbook) bool { return rb.File == p.File })
	})
}
