package commands

import (
	"context"
	"slices"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// unexpected refuses a word for which a verb has no place: whoever typed it
// meant something by it, and would not get that. try is what can be typed.
func unexpected(word, try string) error {
	word = bot.Line(word, 80)
	return incidents.Fail(incidents.Invalid, "error.unexpected_word", "there is no place for “"+word+"” here", "word", word).WithHint(try)
}

// alone refuses any word after a verb that takes none. A number there is most
// likely another incident's.
func alone(verb string, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if id, ok := incidents.ParseID(args[0]); ok && len(args) == 1 {
		return unexpected(args[0], "/inc "+id.String()+" "+verb)
	}
	return unexpected(args[0], "/inc "+verb)
}

// atMost refuses words beyond the first n.
func atMost(n int, verb string, args []string) error {
	if len(args) <= n {
		return nil
	}
	try := "/inc " + verb
	for _, word := range args[:n] {
		try += " " + bot.Line(word, 80)
	}
	return unexpected(args[n], try)
}

// before is the event in which this very wish was carried out, for somebody who
// did not get its answer and says it again: they get the first one's, whatever
// has happened since. nil: it was not carried out. Of several such events of one
// person it is the latest, since whoever repeats a wish does so before the next.
func (d Deps) before(ctx context.Context, r bot.Request, kinds ...incidents.EventKind) (*incidents.Incident, *incidents.Event, error) {
	happened, err := d.Wishes.Happened(ctx, r.Incident, r.Once)
	if err != nil || !happened {
		return nil, nil, err
	}
	s, err := d.Incidents.Load(ctx, r.Incident)
	if err != nil {
		return nil, nil, err
	}
	all, err := events(ctx, d.Incidents, r.Incident)
	if err != nil {
		return nil, nil, err
	}
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].By.ID == r.Person.ID && slices.Contains(kinds, all[i].Kind) {
			return s, &all[i], nil
		}
	}
	return nil, nil, incidents.Fail(incidents.Conflict, "error.once_used", "the same key was sent with another wish before; nothing was done")
}
