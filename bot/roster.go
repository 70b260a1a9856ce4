package bot

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Role is a set of rights. Somebody with several has the rights of all.
type Role string

// The roles.
const (
	Viewer    Role = "viewer"
	Responder Role = "responder"
	Commander Role = "commander"
	Approver  Role = "approver"
	Author    Role = "author"
	Admin     Role = "admin"
)

// Roles are all there are.
var Roles = []Role{Viewer, Responder, Commander, Approver, Author, Admin}

// grants says what each role allows. What does not stand here is refused.
var grants = map[Role][]Right{
	Viewer:    {View},
	Responder: {View, Respond},
	Commander: {View, Respond, Lead, FreezeAll},
	Approver:  {View, ApproveRuns, FreezeAll, Output},
	Author:    {View, Output},
	Admin:     {View, Respond, Lead, ApproveRuns, FreezeAll, Output, Administer},
}

func may(role Role, right Right) bool { return slices.Contains(grants[role], right) }

// Grant is roles for some incidents. Without services it is for those of every
// service. Without customers it is for those that are no customer's: a customer's
// incidents are seen only by who was given them.
type Grant struct {
	Roles     []Role
	Services  []string
	Customers []string // AllCustomers is every one, and what is nobody's
}

// AllCustomers stands for every customer there is and will be.
const AllCustomers = "*"

func (g *Grant) everybody() bool { return slices.Contains(g.Customers, AllCustomers) }

// covers says whether the grant is for incidents of the scope.
func (g *Grant) covers(scope incidents.Scope) bool {
	if len(g.Services) > 0 && (scope.Service == "" || !slices.Contains(g.Services, scope.Service)) {
		return false
	}
	if g.everybody() {
		return true
	}
	if scope.Customer == "" {
		return len(g.Customers) == 0
	}
	return slices.Contains(g.Customers, scope.Customer)
}

// limited says whether there are incidents that it is not for, as far as the
// configuration has any (see NewRoster).
func (g *Grant) limited() bool {
	return len(g.Services) > 0 || len(g.Customers) > 0 && !g.everybody()
}

// allows says whether the grant has the right there.
func (g *Grant) allows(right Right, where Where) bool {
	if scope, one := where.Scope(); one && !g.covers(scope) {
		return false
	}
	if (where.whole || right == Administer || right == FreezeAll) && g.limited() {
		return false // the whole of Hikeshi, and all remediation, belongs to no service and no customer
	}
	return slices.ContainsFunc(g.Roles, func(role Role) bool { return may(role, right) })
}

// Member is a person with their accounts. Accounts are ids that cannot be
// chosen or changed by whoever has them: never a display name, never an e-mail
// address.
type Member struct {
	Name     string
	Accounts []string // "console:bea", "slack:T1/U2", "discord:1/2", "oidc:https://id.example.com#248"
	Grants   []Grant
}

// accountForm is what an account looks like, by its platform.
var accountForm = map[string]*regexp.Regexp{
	"console": regexp.MustCompile(`\A[\pL\pM\p{Nd}._ -]{1,40}\z`),
	"slack":   regexp.MustCompile(`\A[TE][A-Z0-9]{1,20}/[UW][A-Z0-9]{1,20}\z`),
	"discord": regexp.MustCompile(`\A[0-9]{1,20}/[0-9]{1,20}\z`),
	"oidc":    regexp.MustCompile(`\Ahttps?://[^\s#]{1,400}#[\x21-\x7e]{1,255}\z`),
}

// IsAccount says whether the text can be an account's id. trackers are the names
// of those whose people may be somebody, too.
func IsAccount(text string, trackers ...string) bool {
	platform, id, _ := strings.Cut(text, ":")
	if form := accountForm[platform]; form != nil {
		return form.MatchString(id)
	}
	return slices.Contains(trackers, platform) && inTracker.MatchString(id)
}

// inTracker is an account in a tracker, whatever it is there.
var inTracker = regexp.MustCompile(`\A[\x21-\x7e]{1,200}\z`)

// Roster is the people of the configuration and what they may do. Whoever does
// not stand in it may do nothing.
type Roster struct {
	members   []Member // in the order of their names
	byName    map[string]*Member
	byAccount map[string]*Member
}

// memberPrefix begins the id of a person, which stands for all their accounts:
// whoever approves with two of them has approved once.
const memberPrefix = "person:"

// NewRoster knows these people; trackers are those whose accounts they may have,
// too. It fails where two share a name or an account.
func NewRoster(members []Member, trackers ...string) (*Roster, error) {
	r := &Roster{members: slices.Clone(members), byName: map[string]*Member{}, byAccount: map[string]*Member{}}
	slices.SortFunc(r.members, func(a, b Member) int { return cmp.Compare(a.Name, b.Name) })
	for i := range r.members {
		m := &r.members[i]
		key := strings.ToLower(m.Name)
		if m.Name == "" || r.byName[key] != nil {
			return nil, incidents.Fail(incidents.Invalid, "config.person_twice", "two people are called "+m.Name, "name", m.Name)
		}
		r.byName[key] = m
		for _, account := range m.Accounts {
			if !IsAccount(account, trackers...) {
				return nil, incidents.Fail(incidents.Invalid, "config.account", account+" is no account's id", "account", account)
			}
			if other := r.byAccount[account]; other != nil {
				return nil, incidents.Fail(incidents.Invalid, "config.account_twice", m.Name+" and "+other.Name+" both have the account "+account,
					"account", account, "name", m.Name, "other", other.Name)
			}
			r.byAccount[account] = m
		}
	}
	return r, nil
}

// Who is the person behind an account.
func (r *Roster) Who(account incidents.Actor) incidents.Actor {
	if m := r.member(account); m != nil {
		return m.actor()
	}
	return account
}

func (r *Roster) member(p incidents.Actor) *Member {
	if name, ok := strings.CutPrefix(p.ID, memberPrefix); ok {
		return r.byName[name]
	}
	return r.byAccount[p.ID]
}

func (m *Member) actor() incidents.Actor {
	return incidents.Actor{ID: memberPrefix + strings.ToLower(m.Name), Name: m.Name}
}

// May asks all grants of the person.
func (r *Roster) May(p incidents.Actor, right Right, where Where) error {
	if !p.IsPerson() {
		return unknownPerson()
	}
	m := r.member(p)
	if m == nil {
		return incidents.Fail(incidents.Forbidden, "error.stranger", "nobody in the configuration has the account "+Line(p.ID, 200),
			"account", Line(p.ID, 200)).WithHint("docs/configuration.md")
	}
	if m.allows(right, where) {
		return nil
	}
	return r.lacking(m, right, where)
}

func (m *Member) allows(right Right, where Where) bool {
	return slices.ContainsFunc(m.Grants, func(g Grant) bool { return g.allows(right, where) })
}

// Customers are those whose incidents somebody may open, in order, and whether
// they may open one that is nobody's.
func (r *Roster) Customers(p incidents.Actor) (names []string, nobodys bool) {
	m := r.member(p)
	if m == nil {
		return nil, false
	}
	for i := range m.Grants {
		g := &m.Grants[i]
		if !g.allows(Respond, InGeneral) {
			continue
		}
		names = append(names, g.Customers...)
		nobodys = nobodys || g.covers(incidents.Scope{Service: firstOf(g.Services)})
	}
	slices.Sort(names)
	return slices.Compact(names), nobodys
}

// Owns says whether the incidents of the scope are theirs to answer: a grant of the
// person names the service, and lets them respond there. Whoever may respond
// everywhere owns nothing by that.
func (r *Roster) Owns(p incidents.Actor, scope incidents.Scope) bool {
	m := r.member(p)
	return m != nil && slices.ContainsFunc(m.Grants, func(g Grant) bool {
		return slices.Contains(g.Services, scope.Service) && g.allows(Respond, Of(scope))
	})
}

func firstOf(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

// Having are the people who have a right there, by name.
func (r *Roster) Having(right Right, where Where) []incidents.Actor {
	var all []incidents.Actor
	for i := range r.members {
		if m := &r.members[i]; m.allows(right, where) {
			all = append(all, m.actor())
		}
	}
	return all
}

// Person finds somebody by the name that was typed in a chat.
func (r *Roster) Person(_ context.Context, _, name string) (incidents.Actor, bool) {
	m := r.byName[strings.ToLower(name)]
	if m == nil {
		return incidents.Actor{}, false
	}
	return m.actor(), true
}
