package bot

import (
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// mostHaving is how many of those who have a right are named.
const mostHaving = 5

// lacking says which right somebody lacks and who has it. Who may not even look there
// is not told whose it is, and where no incident is meant nobody is named who has
// the right only where they may not look.
func (r *Roster) lacking(m *Member, right Right, where Where) error {
	if !m.allows(View, where) {
		return forbidden(right)
	}
	var names []string
	for i := range r.members {
		if other := &r.members[i]; other.allows(right, where) && other.near(m, right, where) {
			names = append(names, Line(other.Name, 40))
		}
	}
	switch more := len(names) - mostHaving; {
	case len(names) == 0:
		return incidents.Fail(incidents.Forbidden, "error.right_nobody", "you may not do this, and nobody who is configured may", "right", string(right))
	case more > 0:
		names = append(names[:mostHaving], "…")
	}
	who := strings.Join(names, ", ")
	return incidents.Fail(incidents.Forbidden, "error.right_who", "you may not do this; "+who+" may", "right", string(right), "who", who)
}

// near says whether somebody has the right for incidents that the other one sees.
func (m *Member) near(other *Member, right Right, where Where) bool {
	if _, one := where.Scope(); one {
		return true // it is the other's to see, and this one's to do
	}
	return slices.ContainsFunc(m.Grants, func(has Grant) bool {
		return has.allows(right, where) && slices.ContainsFunc(other.Grants, func(sees Grant) bool {
			return sees.allows(View, InGeneral) && has.meets(&sees)
		})
	})
}

// meets says whether there can be an incident that both grants are for.
func (g *Grant) meets(other *Grant) bool {
	share := func(a, b []string) bool {
		return slices.ContainsFunc(a, func(one string) bool { return slices.Contains(b, one) })
	}
	services := len(g.Services) == 0 || len(other.Services) == 0 || share(g.Services, other.Services)
	customers := g.everybody() || other.everybody() || len(g.Customers) == 0 && len(other.Customers) == 0 || share(g.Customers, other.Customers)
	return services && customers
}
