package backlog

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
)

// named is what has a number and a name.
type named struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

// project is what does not change often: it is asked for once an hour.
type project struct {
	ID         int
	Name       string
	subtasks   bool // issues may have children
	types      []named
	statuses   []named
	priorities []named
	members    []user
	markup     remote.Markup
	markdown   bool          // what people write there is Markdown
	config     remote.Config // with the names of the usual priorities, where none is configured
	read       time.Time
}

const projectAge = time.Hour

// The numbers that every project has. https://developer.nulab.com/docs/backlog/
const (
	statusTodo     = 1
	statusDoing    = 2
	statusResolved = 3
	statusClosed   = 4
	twinResolution = 3 // "duplication"
)

var usualPriority = map[incidents.Severity]int{incidents.Sev1: 2, incidents.Sev2: 2, incidents.Sev3: 3, incidents.Sev4: 4, incidents.Sev5: 4}

func (a *api) project(ctx context.Context) (*project, error) {
	a.mu.Lock()
	known := a.known
	a.mu.Unlock()
	if known != nil && a.now().Sub(known.read) < projectAge {
		return known, nil
	}
	p, err := a.readProject(ctx)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	a.known = p
	a.mu.Unlock()
	return p, nil
}

func (a *api) readProject(ctx context.Context) (*project, error) {
	var found struct {
		ID       int    `json:"id"`
		Name     string `json:"name"`
		Notation string `json:"textFormattingRule"`
		Subtasks bool   `json:"subtaskingEnabled"`
	}
	p := &project{read: a.now(), config: a.config}
	at := "projects/" + a.config.Project
	for _, part := range []struct {
		path string
		into any
	}{
		{at, &found}, {at + "/issueTypes", &p.types}, {at + "/statuses", &p.statuses}, {"priorities", &p.priorities}, {at + "/users", &p.members},
	} {
		if err := a.client.Do(ctx, remote.Ask{Method: http.MethodGet, Path: part.path, Lane: limit.Urgent}, part.into); err != nil {
			return nil, err
		}
	}
	if found.ID == 0 {
		return nil, a.client.NotThem("it does not say which project it is")
	}
	p.ID, p.Name, p.subtasks, p.markup = found.ID, found.Name, found.Subtasks, notation()
	if p.markdown = found.Notation == "markdown"; p.markdown {
		p.markup = remote.Markdown("\n") // its line ends are line ends
	}
	if len(p.config.Priorities) == 0 {
		p.config.Priorities = map[string]string{}
		for sev, id := range usualPriority {
			if n := byID(p.priorities, id); n.Name != "" {
				p.config.Priorities[sev.String()] = n.Name
			}
		}
	}
	return p, nil
}

func byID(all []named, id int) named {
	for _, n := range all {
		if n.ID == id {
			return n
		}
	}
	return named{}
}

func byName(all []named, name string) (named, bool) {
	i := slices.IndexFunc(all, func(n named) bool { return strings.EqualFold(n.Name, strings.TrimSpace(name)) })
	if i < 0 {
		return named{}, false
	}
	return all[i], true
}

func names(all []named) string {
	var words []string
	for _, n := range all {
		words = append(words, bot.Line(n.Name, 60))
	}
	return strings.Join(words, ", ")
}

// status is the number for a state: the configured one, or the usual one.
func (p *project) status(state bot.TicketState) int {
	if n, ok := byName(p.statuses, p.config.Transitions[state]); ok {
		return n.ID
	}
	return map[bot.TicketState]int{bot.TicketTodo: statusTodo, bot.TicketDoing: statusDoing, bot.TicketDone: statusClosed}[state]
}

// state is what a status means. A status of the project's own that is not
// configured is work in progress.
func (p *project) state(s named) bot.TicketState {
	for state, name := range p.config.Transitions {
		if strings.EqualFold(name, s.Name) {
			return state
		}
	}
	switch s.ID {
	case statusTodo:
		return bot.TicketTodo
	case statusResolved, statusClosed:
		return bot.TicketDone
	}
	return bot.TicketDoing
}

// priority is the number for a severity; "" where there is none.
func (p *project) priority(sev incidents.Severity) string {
	if n, ok := byName(p.priorities, p.config.PriorityOf(sev)); ok {
		return strconv.Itoa(n.ID)
	}
	return ""
}
