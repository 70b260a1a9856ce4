package commands

import (
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// customerOf takes customer=acme off the front of a title. Without it an incident
// is the customer's whom the person works for, where that is one; who works for
// several must say which, because nobody guesses whose eyes may see it.
func (d Deps) customerOf(r bot.Request, title string) (customer, rest string, err error) {
	if len(d.Customers) == 0 {
		return "", title, nil
	}
	names, nobodys := d.Customers, true // without people everybody may do everything
	if d.People != nil {
		var theirs []string
		theirs, nobodys = d.People.Customers(r.Person)
		if !slices.Contains(theirs, bot.AllCustomers) {
			names = theirs
		}
	}
	first, after, _ := strings.Cut(title, " ")
	if name, said := strings.CutPrefix(first, "customer="); said {
		if !slices.Contains(names, name) { // whether there is such a customer is told to nobody who has no part in it
			return "", "", incidents.Fail(incidents.Forbidden, "error.customer", "you may not open an incident of "+bot.Line(name, 60),
				"customer", bot.Line(name, 60)).WithHint(declareFor(names, after))
		}
		return name, strings.TrimSpace(after), nil
	}
	switch {
	case nobodys:
		return "", title, nil
	case len(names) == 1:
		return names[0], title, nil
	}
	return "", "", incidents.Fail(incidents.Invalid, "error.which_customer", "which customer's incident is it?",
		"known", strings.Join(names, ", ")).WithHint(declareFor(names, title))
}

func declareFor(names []string, title string) string {
	if len(names) == 0 {
		return "/inc help declare"
	}
	return "/inc declare customer=" + names[0] + " " + bot.Line(title, 60)
}
