package web

import (
	"crypto/rand"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// composeView is the place to type.
type composeView struct {
	Incident incidents.ID
	Once     string // so that what is sent twice happens once
	Commands []commandView
}

// commandView is one verb for the completion.
type commandView struct {
	Name  string
	Usage string
	Help  string
	Also  string
}

// compose is the place to type, in a room or (id 0) outside of one. In a room
// what is about the room comes first; outside, it is left out.
func (s *Server) compose(v *visit, id incidents.ID) composeView {
	c := composeView{Incident: id, Once: rand.Text()}
	var others []commandView
	for _, cmd := range s.Router.Commands() {
		view := commandView{Name: cmd.Name, Usage: cmd.Usage, Help: phrases.T(v.lang, cmd.Help), Also: strings.Join(cmd.Aliases, " ")}
		switch {
		case cmd.Room && id > 0:
			c.Commands = append(c.Commands, view)
		case !cmd.Room:
			others = append(others, view)
		}
	}
	c.Commands = append(c.Commands, others...)
	return c
}
