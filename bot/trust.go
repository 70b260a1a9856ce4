package bot

import (
	"maps"
	"slices"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// trust adds to the card what was said here about actions that run by themselves,
// with the buttons of whoever decides.
func (v *view) trust(m *Message) {
	for _, action := range slices.Sorted(maps.Keys(v.s.Trust)) {
		word := v.s.Trust[action]
		v.field(m, "trust", v.t("card."+string(word.Said),
			"action", v.title(v.titleOf(action), action), "because", Say(v.lang, word.Because), "by", Who(word.By)))
		switch word.Said {
		case incidents.EventProposed:
			p := press{verb: pressTrust, ref: actionRef(action)}
			if r := v.s.Run(word.Run); r != nil {
				p.check = r.Plan.Source()
			}
			m.Buttons = append(m.Buttons, v.button("trust_accept", p, ""))
		case incidents.EventAccepted:
			m.Buttons = append(m.Buttons, v.button("trust_revoke", press{verb: pressDistrust, ref: actionRef(action)}, ""))
		}
	}
}

// titleOf is the title of an action that was suggested or run.
func (v *view) titleOf(action string) incidents.Text {
	for i := range v.s.Suggestions {
		if v.s.Suggestions[i].Action == action {
			return v.s.Suggestions[i].Title
		}
	}
	for i := range v.s.Runs {
		if v.s.Runs[i].Plan.Runbook == action {
			return v.s.Runs[i].Plan.Title
		}
	}
	return incidents.Text{}
}

// itself says of a request that nobody clicked whose word it rests on.
func (v *view) itself(a *incidents.Acceptance) string {
	return v.t("approval.itself", "by", Who(a.By), "on", Date(v.lang, a.At, v.now))
}
