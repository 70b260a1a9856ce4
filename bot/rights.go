package bot

import "github.com/hikeshi-ops/hikeshi/incidents"

// Right is what a command needs.
type Right string

// The rights, from little to much.
const (
	View        Right = "view"
	Respond     Right = "respond"
	Lead        Right = "command" // decide about the incident as a whole
	ApproveRuns Right = "approve"
	FreezeAll   Right = "freeze" // stop every remediation there is, and let them start again
	Output      Right = "output" // read what steps said whole, of which a room shows an excerpt
	Administer  Right = "admin"
)

// Where is what a right is asked for: the incidents of one scope, anything at
// all, or everything together. Its zero value is an incident without a service.
type Where struct {
	scope   incidents.Scope
	general bool
	whole   bool
}

// InGeneral asks for a right that is about no incident. Who has it for one
// service only has it too: what they see of each incident is asked again.
var InGeneral = Where{general: true}

// Overall asks for a right over all incidents together, for what does not say
// whose it is: only who has it for all of them has it.
var Overall = Where{general: true, whole: true}

// Of asks for a right over the incidents of one customer's service.
func Of(scope incidents.Scope) Where { return Where{scope: scope} }

// Scope is what is asked about, and whether it is about one incident at all.
func (w Where) Scope() (incidents.Scope, bool) { return w.scope, !w.general }

// Rights decides who somebody is and what they may do. It is asked in one place
// only (see Router) and whatever it does not allow is refused.
type Rights interface {
	// Who is the person behind an account of a chat or of the console: the same
	// one for all their accounts, themselves where they are a person already, and
	// the account itself where nobody is known to have it.
	Who(account incidents.Actor) incidents.Actor
	// May returns nil to allow, or an *incidents.Error that says why not.
	May(p incidents.Actor, right Right, where Where) error
}

// Open allows everybody who is signed in everything: one trusted team, or one
// machine. It is what there is without configured people (see Roster).
type Open struct{}

// Who is the account itself.
func (Open) Who(account incidents.Actor) incidents.Actor { return account }

// May allows people the rights there are, and nobody anything else.
func (Open) May(p incidents.Actor, right Right, _ Where) error {
	if !p.IsPerson() {
		return unknownPerson()
	}
	if !may(Admin, right) {
		return forbidden(right)
	}
	return nil
}

func unknownPerson() error {
	return incidents.Fail(incidents.Unauthenticated, "error.who", "we do not know who you are")
}

func forbidden(right Right) error {
	return incidents.Fail(incidents.Forbidden, "error.right", "you may not do this", "right", string(right))
}
