package remote

import (
	"errors"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
)

// Examination gathers what a doctor finds.
type Examination struct {
	Config *Config
	System System
	All    []tracker.Finding
}

// Good notes what is as it should be.
func (x *Examination) Good(phrase string, args ...string) {
	x.All = append(x.All, tracker.Finding{Good: true, What: x.because(phrase, args)})
}

// Bad notes what is not, and what mends it.
func (x *Examination) Bad(phrase, do string, args ...string) {
	x.All = append(x.All, tracker.Finding{What: x.because(phrase, args), Do: x.because(do, args)})
}

func (x *Examination) because(phrase string, args []string) incidents.Reason {
	return incidents.Because(phrase, append(args, "system", x.System.Name, "name", x.Config.Name, "project", x.Config.Project, "url", x.Config.URL)...)
}

// Refused notes an answer of the tracker; false where there is one.
func (x *Examination) Refused(err error, do string) bool {
	if err == nil {
		return false
	}
	e, ok := errors.AsType[*incidents.Error](err)
	if !ok {
		e = x.System.passing("error.tracker_unreachable", err.Error(), "error", short(err.Error()))
	}
	found := tracker.Finding{What: incidents.Reason{Phrase: e.Phrase, Args: e.Args}, Do: x.because(do, nil)}
	switch e.Phrase {
	case "error.tracker_unreachable", "error.tracker_away": // nothing is known of the token or the project
		found.Do = x.because("tracker.doctor.do.network", nil)
	case "error.tracker_no_json", "error.tracker_redirect": // they say themselves what to do
		found.Do = incidents.Reason{}
	}
	x.All = append(x.All, found)
	return true
}

// People says which of the configured people are in the project, and shows who
// is: their numbers stand nowhere else where one could see them.
func (x *Examination) People(members []Account) {
	var all, strangers []string
	for _, m := range members[:min(len(members), maxShown)] {
		all = append(all, bot.Line(m.Name, 60)+" = "+x.Config.Name+":"+m.ID)
	}
	for name, id := range x.Config.People {
		if !slices.ContainsFunc(members, func(m Account) bool { return m.ID == id }) {
			strangers = append(strangers, name+" ("+id+")")
		}
	}
	if slices.Sort(strangers); len(strangers) > 0 {
		x.Bad("tracker.doctor.stranger", "tracker.doctor.do.stranger", "who", strings.Join(strangers, ", "), "members", strings.Join(all, ", "))
		return
	}
	x.Good("tracker.doctor.members", "members", strings.Join(all, ", "))
}

const maxShown = 50

// Hears says how changes are heard.
func (x *Examination) Hears(address string) {
	if x.Config.Hook != "" {
		x.Good("tracker.doctor.hears", "address", address)
		return
	}
	x.Good("tracker.doctor.polls", "address", address)
}
