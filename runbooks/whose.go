package runbooks

import (
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

const maxCustomers = 100 // a runbook

// customerForm is what the configuration calls customers.
var customerForm = regexp.MustCompile(`\A[a-z0-9][a-z0-9_-]{0,30}\z`)

// For says whether the runbook is there for the incidents of this customer; "" is
// nobody. Where it is not, nothing fits, plans or shows it, whatever labels, words
// and people say: to them it is a runbook that there is not.
func (rb *Runbook) For(customer string) bool {
	return len(rb.Customers) == 0 || slices.Contains(rb.Customers, customer)
}

// As is the runbook as a customer's people may read it: who else has it is not theirs
// to know.
func (rb *Runbook) As(customer string) *Runbook {
	if len(rb.Customers) == 0 {
		return rb
	}
	theirs := *rb
	theirs.Customers = []string{customer}
	return &theirs
}

// covers says that the runbook is there wherever the other one is.
func (rb *Runbook) covers(other *Runbook) bool {
	return len(rb.Customers) == 0 ||
		len(other.Customers) > 0 && !slices.ContainsFunc(other.Customers, func(name string) bool { return !rb.For(name) })
}

// Imagine is an incident that has never been, with these labels, of one for whom the
// runbook is there: for looking at what it would do.
func (rb *Runbook) Imagine(labels incidents.Labels) *incidents.Incident {
	s := &incidents.Incident{ID: 1, Version: 1, Common: labels}
	if len(rb.Customers) > 0 {
		s.Customer = rb.Customers[0]
	}
	return s
}

// customers reads for whom alone it is. Whether there are such is for the library to
// say, which is told who there is.
func (r *reader) customers(rb *Runbook, n *yaml.Node) {
	items := r.items(n, "customers", maxCustomers)
	if len(items) == 0 && n.Kind == yaml.SequenceNode {
		r.fail(n, "runbook.lint.no_customers")
	}
	rb.customersAt = n.Line
	for _, item := range items {
		if name, ok := r.str(item, "customers"); ok && !customerForm.MatchString(name) {
			r.fail(item, "runbook.lint.bad_customer", "customer", name)
		} else if ok {
			rb.Customers = append(rb.Customers, name)
		}
	}
}

// strangers are the customers of the runbook that are not among those who are known:
// a misspelt name would keep it from everybody, as any does where there is nobody. nil:
// it is not known who there is.
func (rb *Runbook) strangers(known []string) []Problem {
	var problems []Problem
	for _, name := range rb.Customers {
		if known != nil && !slices.Contains(known, name) {
			what := incidents.Because("runbook.lint.unknown_customer", "customer", name)
			problems = append(problems, Problem{File: rb.File, Line: rb.customersAt, What: what, Hint: hintFor(what)})
		}
	}
	return problems
}
