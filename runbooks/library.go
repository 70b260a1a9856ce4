package runbooks

import (
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// Sources say where runbooks come from.
type Sources struct {
	Paths     []string          // directories, searched for *.yaml and *.yml without their subdirectories, and files
	Embedded  fs.FS             // runbooks that come with the program; nil for none
	Vars      map[string]string // values of {var.name}
	Content   Content           // what steps refer to; nil: such steps are not planned here
	Customers []string          // those whom the configuration knows: who else a runbook is for is an error; nil: it is not known
	Hosts     []string          // the inventory: what a parameter of type host may be, "*.example.com" for all below; none: any host
}

// Content is the SHA-256 of what a resolved step refers to, such as files, "" where it
// refers to none: steps.AnsibleConfig has one.
type Content func(step incidents.Step) (string, error)

// Library holds the runbooks that are loaded. All its methods may be called at
// once from anywhere.
type Library struct {
	sources Sources
	mu      sync.Mutex // one reload at a time
	current atomic.Pointer[shelf]
}

// A shelf is one loaded set; it never changes.
type shelf struct {
	sorted []*Runbook
	byID   map[string]*Runbook
}

// Load reads all sources. A file with errors is left out and reported; whether
// to go on without it is for the caller to say. The library is never nil.
func Load(s Sources) (*Library, []Problem) {
	if s.Vars == nil {
		s.Vars = map[string]string{}
	}
	l := &Library{sources: s}
	next, problems := s.load()
	l.current.Store(next)
	return l, problems
}

// Reload reads all sources again. Where any file has an error the library stays
// as it is, so that what is loaded is always one set that somebody meant. Plans
// that were made keep their steps either way.
func (l *Library) Reload() []Problem {
	l.mu.Lock()
	defer l.mu.Unlock()
	next, problems := l.sources.load()
	if len(Errors(problems)) == 0 {
		l.current.Store(next)
	}
	return problems
}

// All are the runbooks, by id.
func (l *Library) All() []*Runbook { return l.current.Load().sorted }

// Get finds a runbook; nil where there is none.
func (l *Library) Get(id string) *Runbook { return l.current.Load().byID[id] }

// now is the runbook as its file says at this moment, which may be newer than what is
// loaded; nil where the file is gone or has errors.
func (l *Library) now(id string) *Runbook {
	next, _ := l.sources.load()
	return next.byID[id]
}

// notAsPlanned refuses a plan whose runbook, rb where it is still loaded, is not what it
// was when the plan was made: whoever reads it looks for the file, or for what is new in it.
func (l *Library) notAsPlanned(id string, rb *Runbook) error {
	next, problems := l.sources.load()
	if next.byID[id] == nil && (rb == nil || !slices.ContainsFunc(problems, func(p Problem) bool { return p.File == rb.File })) {
		return incidents.Fail(incidents.Conflict, "runbook.gone",
			fmt.Sprintf("runbook %s is gone since this plan was made, so nothing was run", id), "runbook", id)
	}
	return incidents.Fail(incidents.Conflict, "runbook.changed",
		fmt.Sprintf("runbook %s has changed since this plan was made, so nothing was run", id), "runbook", id)
}

// contents says whether what the plan's steps refer to, files and hosts, is still what
// was approved.
func (l *Library) contents(plan incidents.Plan) error {
	all := slices.Concat(plan.Recover, plan.Verify.Steps, plan.Check)
	for i := range all {
		step := &all[i]
		if step.Content == "" || l.sources.Content == nil {
			continue
		}
		now, err := l.sources.Content(*step)
		if err != nil {
			return err
		}
		if now != step.Content {
			return steps.ContentChanged(*step)
		}
	}
	return nil
}

// Origins are the scheme://host:port of the URLs that the runbooks name.
func (l *Library) Origins() []string {
	set := map[string]bool{}
	for _, rb := range l.All() {
		for _, s := range rb.allSteps() {
			if s.Kind != KindHTTP {
				continue
			}
			if u, err := url.Parse(s.url.fill(nil, asIs)); err == nil {
				set[steps.Origin(u)] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// load reads everything.
func (s Sources) load() (*shelf, []Problem) {
	files, problems := s.files(false)
	next := &shelf{byID: map[string]*Runbook{}}
	for _, f := range files {
		rb, found := Parse(f.name, f.content, s.Vars)
		problems = append(problems, found...)
		if rb == nil {
			continue
		}
		if twin := next.byID[rb.ID]; twin != nil {
			problems = append(problems, fileProblem(f.name, "runbook.lint.id_twice", "id", rb.ID, "file", twin.File))
			continue
		}
		if wrong := rb.strangers(s.Customers); len(wrong) > 0 {
			problems = append(problems, wrong...)
			continue
		}
		rb.inventory(s.Hosts)
		rb.content = s.Content
		next.byID[rb.ID] = rb
		next.sorted = append(next.sorted, rb)
	}
	linked, found := link(next.sorted)
	problems = append(problems, found...)
	next.sorted, next.byID = linked, make(map[string]*Runbook, len(linked))
	for _, rb := range linked {
		next.byID[rb.ID] = rb
	}
	if len(next.sorted) > MaxRunbooks {
		problems = append(problems, fileProblem(files[0].name, "runbook.lint.too_many_runbooks", "max", strconv.Itoa(MaxRunbooks)))
		next = &shelf{byID: map[string]*Runbook{}}
	}
	slices.SortFunc(next.sorted, func(a, b *Runbook) int { return strings.Compare(a.ID, b.ID) })
	sortProblems(problems)
	return next, problems
}

// A file is one that was read.
type file struct {
	name    string
	content []byte
}

// files reads all of them; lenient for a linter.
func (s Sources) files(lenient bool) ([]file, []Problem) {
	var files []file
	var problems []Problem
	if s.Embedded != nil {
		err := fs.WalkDir(s.Embedded, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !isRunbookFile(name) {
				return err
			}
			content, err := fs.ReadFile(s.Embedded, name)
			files = append(files, file{name, content})
			return err
		})
		if err != nil {
			problems = append(problems, fileProblem("embedded", "runbook.lint.unreadable", "error", err.Error()))
		}
	}
	disk := &shelfReader{lenient: lenient}
	for _, p := range s.Paths {
		disk.path(p)
	}
	return append(files, disk.files...), append(problems, disk.problems...)
}

func isRunbookFile(name string) bool {
	ext := path.Ext(name)
	return !strings.HasSuffix(name, TestSuffix) && (ext == ".yaml" || ext == ".yml") && !strings.HasPrefix(path.Base(name), ".")
}

func fileProblem(name, phrase string, args ...string) Problem {
	what := incidents.Because(phrase, args...)
	return Problem{File: name, What: what, Hint: hintFor(what)}
}
