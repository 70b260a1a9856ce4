package learning

import (
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

func TestAnIncidentIsNamedWhereItMayBe(t *testing.T) {
	t.Parallel()
	like := func(id string) incidents.Term {
		return incidents.Term{Because: incidents.Because(phraseLike, "features", "alert Down", "incident", id), Weight: 0.5}
	}
	given := []incidents.Term{like("INC-1"), like("INC-2"), like("another system's"), {Because: incidents.Because("why.fit"), Weight: 0.1}}
	got := Unnamed(given, func(id incidents.ID) bool { return id == 1 })
	for i, want := range []string{phraseLike, "why.learned.by", "why.learned.by", "why.fit"} {
		if b := got[i].Because; b.Phrase != want || got[i].Weight != given[i].Weight || want == "why.learned.by" && (b.Args["incident"] != "" || b.Args["features"] != "alert Down") {
			t.Errorf("%d: %+v", i, got[i])
		}
	}
	if given[1].Because.Phrase != phraseLike {
		t.Error("the list that was given is another now")
	}
}
