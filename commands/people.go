package commands

import (
	"context"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// person reads who is meant: "me", "@bea" or "bea". Somebody whom the chat
// knows, else somebody of that name who is in the incident already, else the
// name as it was typed, where no people are configured. Being named gives nobody a
// right: who may not see the incident is answered as somebody who is not there.
func (d Deps) person(ctx context.Context, r bot.Request, s *incidents.Incident, word string) (incidents.Actor, error) {
	name := bot.Line(strings.TrimPrefix(strings.TrimPrefix(word, "@"), "＠"), 80)
	switch {
	case name == "":
		return incidents.Actor{}, incidents.Fail(incidents.Invalid, "error.no_person", "a person is missing").WithHint("/inc assign @bea")
	case strings.EqualFold(name, "me"), name == "私", name == "自分":
		return r.Person, nil
	}
	if d.People != nil {
		if a, ok := d.People.Person(ctx, r.Chat, name); ok {
			if !slices.ContainsFunc(d.seeing(s), func(p incidents.Actor) bool { return p.ID == a.ID }) {
				return incidents.Actor{}, d.nobody(s, name)
			}
			return a, nil
		}
	}
	if strings.EqualFold(name, r.Person.Name) {
		return r.Person, nil
	}
	for _, a := range present(s) {
		if strings.EqualFold(a.Name, name) {
			return a, nil
		}
	}
	if d.People != nil { // whom nobody knows, nobody could call
		return incidents.Actor{}, d.nobody(s, name)
	}
	return incidents.Actor{ID: r.Chat + ":" + strings.ToLower(name), Name: name}, nil
}

// seeing are the people who may see the incident; without one, all of them.
func (d Deps) seeing(s *incidents.Incident) []incidents.Actor {
	where := bot.InGeneral
	if s != nil {
		where = bot.Of(s.Scope())
	}
	return d.People.Having(bot.View, where)
}

// nobody says that no configured person has the name, and which ones look like it.
func (d Deps) nobody(s *incidents.Incident, name string) error {
	var names []string
	for _, p := range d.seeing(s) {
		names = append(names, p.Name)
	}
	near := bot.Guess(name, names)
	if len(near) == 0 {
		return incidents.Fail(incidents.NotFound, "error.unknown_person", "nobody in the configuration is called "+name, "name", name).WithHint("/inc assign me")
	}
	return incidents.Fail(incidents.NotFound, "error.unknown_person_near", "nobody in the configuration is called "+name+"; did you mean "+near[0]+"?",
		"name", name, "near", strings.Join(near, ", ")).WithHint("/inc assign @" + near[0])
}

// present are the people who are in the incident.
func present(s *incidents.Incident) []incidents.Actor {
	var all []incidents.Actor
	if s == nil {
		return nil
	}
	if s.Commander != nil {
		all = append(all, s.Commander.By)
	}
	for _, marks := range [][]incidents.Mark{s.Responders, s.Acks} {
		for _, m := range marks {
			all = append(all, m.By)
		}
	}
	return all
}
