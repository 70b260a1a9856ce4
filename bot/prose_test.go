package bot

import (
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// A suggestion and a request lead to the manual where there is one, and where
// there is a console.
func TestTheManualIsOneClickAway(t *testing.T) {
	t.Parallel()
	a := running(t)
	links := Links{Base: "https://hikeshi.example.com/"}
	count := func(links Links) (items, requests int) {
		for _, m := range Room(a.s, a.events, "ja", a.now, links) {
			for _, it := range m.Items {
				if it.Link != nil {
					items++
				}
			}
			if m.Kind == KindApproval && len(m.Links) > 0 {
				requests++
				if l := m.Links[0]; l.URL != "https://hikeshi.example.com/incidents/INC-42/runbooks/shop-restart" || l.Label != "ランブックと手順書" {
					t.Errorf("%+v", l)
				}
			}
		}
		return items, requests
	}
	if i, r := count(links); i+r > 0 {
		t.Errorf("%d and %d links to a manual that nobody wrote", i, r)
	}
	for i := range a.s.Suggestions {
		if g := &a.s.Suggestions[i]; g.Action == "shop-restart" {
			g.Manual = incidents.Manual{From: "backlog", Page: "店"}
		}
	}
	if i, r := count(links); i != 1 || r != 1 {
		t.Errorf("%d and %d links", i, r)
	}
	if i, r := count(Links{}); i+r > 0 {
		t.Errorf("%d and %d links to nowhere", i, r)
	}
}
