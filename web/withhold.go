package web

import (
	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// withhold marks the buttons that the reader may not press, each with what they
// would be told. It only spares them the try: the router asks again.
func (s *Server) withhold(v *visit, m *messageView, inc *incidents.Incident) {
	denied := map[bot.Right]string{}
	why := func(button string) string {
		right := s.Router.Needs(button)
		if right == "" {
			return ""
		}
		said, known := denied[right]
		if !known {
			if err := s.Rights.May(v.person, right, bot.Of(inc.Scope())); err != nil {
				said = explain(err, v.lang, v.requestID).Message
			}
			denied[right] = said
		}
		return said
	}
	mark := func(votes []voteView, actions []actionView) {
		for i := range votes {
			votes[i].Denied = why(votes[i].ID)
		}
		for i := range actions {
			actions[i].Denied = why(actions[i].ID)
		}
	}
	mark(m.Votes, m.Actions)
	for i := range m.Items {
		mark(m.Items[i].Votes, m.Items[i].Actions)
	}
	for i := range m.Groups {
		for j := range m.Groups[i].Checks {
			mark(m.Groups[i].Checks[j].Votes, nil)
		}
	}
}
