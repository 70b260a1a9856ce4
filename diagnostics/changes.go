package diagnostics

import (
	"cmp"
	"slices"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

const mostChanges = 5

// changed are the changes that may have to do with it: those of the service
// first, then those of what it depends on, then others; of each the latest
// before the alert first. A change after the alert did not cause it. A change that
// is said to be another customer's is not told, and a customer's incident is told
// nothing that is neither theirs nor of their services.
func changed(q Question, all []Change, services *Catalogue) []incidents.Clue {
	needs := services.Needs(q.Incident.Service)
	near := func(c Change) int {
		switch {
		case c.Service != "" && c.Service == q.Incident.Service:
			return 0
		case slices.Contains(needs, c.Service):
			return 1
		case c.Service == "":
			return 2
		}
		return 3
	}
	all = slices.DeleteFunc(slices.Clone(all), func(c Change) bool {
		return c.At.After(q.Alert.Add(time.Minute)) || c.At.Before(q.Alert.Add(-changeLag)) || foreign(q.Incident.Customer, c, near(c))
	})
	slices.SortStableFunc(all, func(a, b Change) int {
		return cmp.Or(cmp.Compare(near(a), near(b)), b.At.Compare(a.At))
	})
	var clues []incidents.Clue
	for _, c := range all[:min(len(all), mostChanges)] {
		title := c.Title
		if c.Service != "" {
			title = c.Service + ": " + title
		}
		says := incidents.Because("clue.change", "by", c.By)
		if c.By == "" {
			says = incidents.Because("clue.change_nobody")
		}
		clues = append(clues, incidents.Clue{Kind: incidents.ClueChange, Source: c.Source, Item: "change/" + c.Source, Title: title, Detail: c.Revision, URL: c.URL, At: c.At.UTC(), Says: says})
	}
	return clues
}

// foreign says whether a change, so near to an incident's service, is none of its
// customer's business.
func foreign(customer string, c Change, near int) bool {
	if c.Customer == Everybody {
		return customer != "" && near > 1
	}
	return c.Customer != customer
}
