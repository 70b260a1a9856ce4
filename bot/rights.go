package bot

import "github.com/hikeshi-ops/hikeshi/incidents"

// Right is what a command needs.
type Right string

// The rights, from little to much.
const (
	View        Right = "view"
	Respond     Right = "respond"
	ApproveRuns Right = "approve"
)

// Rights decides what a person may do. It is asked in one place only (see
// Router) and whatever it does not allow is refused: it returns nil to allow,
// or an *incidents.Error that says why not. service is what the incident is
// about; "" where the command is about no incident, or about one without.
type Rights interface {
	May(p incidents.Actor, right Right, service string) error
}

// Open allows everybody who is signed in to look, to respond and to approve.
// It is meant for one trusted team; roles come with a later version and take
// its place behind Rights.
type Open struct{}

// May allows people the three rights there are, and nobody anything else.
func (Open) May(p incidents.Actor, right Right, _ string) error {
	if !p.IsPerson() {
		return incidents.Fail(incidents.Unauthenticated, "error.who", "we do not know who you are")
	}
	switch right {
	case View, Respond, ApproveRuns:
		return nil
	}
	return incidents.Fail(incidents.Forbidden, "error.right", "you may not do this", "right", string(right))
}
