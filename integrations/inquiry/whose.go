package inquiry

import (
	"slices"
	"strconv"
	"strings"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Owned is an entry of the configuration, and whose what it tells is.
type Owned[C any] struct {
	Customer string `yaml:"customer"`
	Config   C      `yaml:",inline"`
}

// ours is written where something is no customer's.
const ours = "-"

// Whose reads a key customer: a customer's name, "*" for everybody or "-" for nobody.
// Where there are customers it must be said each time: that it was forgotten must
// not show one what is another's.
func Whose(customers incidents.Customers, value string) (whose string, wrong incidents.Reason) {
	known := []string{strconv.Quote(diagnostics.Everybody), strconv.Quote(ours)} // as YAML wants them
	for i := range customers {
		if known = append(known, customers[i].Name); value == customers[i].Name {
			return value, wrong
		}
	}
	switch {
	case value == ours:
		return "", wrong
	case value == diagnostics.Everybody || value == "" && len(customers) == 0:
		return diagnostics.Everybody, wrong
	case value == "":
		return "", incidents.Because("config.whose", "known", strings.Join(known, ", "))
	}
	return "", incidents.Because("config.one_of", "value", value, "known", strings.Join(known, ", "))
}

// claims finds the customer who has a service by its name alone; nil where there is none.
func claims(customers incidents.Customers) func(service string) string {
	if len(customers) == 0 {
		return nil
	}
	return func(service string) string {
		return customers.Of(incidents.LabelsFromMap(map[string]string{"service": service}))
	}
}

// names knows which customers there are; nil where there are none.
func names(customers incidents.Customers) func(customer string) bool {
	if len(customers) == 0 {
		return nil
	}
	return func(customer string) bool {
		return slices.ContainsFunc(customers, func(c incidents.Customer) bool { return c.Name == customer })
	}
}
