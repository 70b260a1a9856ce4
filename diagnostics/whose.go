package diagnostics

import (
	"slices"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Everybody, as whose something is: it may be told in everybody's incidents.
const Everybody = "*"

// Owned is a source and whose it is: a customer's, by name, Everybody's, or "" for
// nobody's, which is our own. It takes an Owned to ask anybody anything, so no source
// is asked without its being known for whom.
type Owned struct {
	Source
	Whose string
}

// Serves says whether what is whose may be told in an incident of the customer.
func Serves(whose, customer string) bool { return whose == Everybody || whose == customer }

// about is the investigator who knows only those that may be asked about s.
func (v *Investigator) about(s *incidents.Incident) *Investigator {
	part := Investigator{v.Options}
	part.Sources = slices.DeleteFunc(slices.Clone(v.Sources), func(o Owned) bool { return !Serves(o.Whose, s.Customer) })
	return &part
}

// from says of each thing who told it, and of what may be a customer's whose it is,
// where the source did not.
func (a Answer) from(o Owned, claimed func(service string) string) Answer {
	source := o.Name()
	a.Series, a.Logs, a.Changes, a.Clues, a.Services = slices.Clone(a.Series), slices.Clone(a.Logs), slices.Clone(a.Changes), slices.Clone(a.Clues), slices.Clone(a.Services)
	for i := range a.Series {
		a.Series[i].Source = source
	}
	for i := range a.Logs {
		a.Logs[i].Source = source
	}
	for i := range a.Changes {
		c := &a.Changes[i]
		if c.Source = source; c.Customer == "" {
			c.Customer = o.Whose
		}
	}
	for i := range a.Clues {
		a.Clues[i].Source, a.Clues[i].Item = source, string(a.Clues[i].Kind)+"/"+source
	}
	for i := range a.Services {
		s := &a.Services[i]
		if s.Customer == "" && o.Whose == Everybody && claimed != nil {
			s.Customer = claimed(s.Name)
		}
		if s.Customer == "" {
			s.Customer = o.Whose
		}
	}
	return a
}
