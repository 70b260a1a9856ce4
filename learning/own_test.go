package learning

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// own is a vote of somebody whose service it is.
func own(f incidents.Fact) incidents.Fact {
	f.Own = true
	return f
}

// learnedOf is what a model makes of facts, for an action somewhere.
func learnedOf(c incidents.Context, action string, facts ...incidents.Fact) Ranked {
	var m Model
	m.Learn(facts...)
	return m.Rank(c, candidates(action), day0)[0]
}

// A thumb of a service's own people counts for more there: on the alert, and on other
// alerts of the service. Wherever else, down to the last bit and to what is said of it,
// it is a thumb like all others.
func TestOwnThumbsCountForMoreAtTheServiceOnly(t *testing.T) {
	t.Parallel()
	sameService := incidents.Context{Name: "DiskFull", Service: shop.Service}
	for _, value := range []int{1, -1} {
		plain := []incidents.Fact{
			outcome(1, "restart", shop, true, day0), outcome(2, "restart", incidents.Context{Name: shop.Name, Service: "search"}, false, day0),
			thumbs(3, "restart", "person:cho", 1, shop, day0), thumbs(4, "restart", "person:bea", value, shop, day0.Add(-HalfLife)),
		}
		theirs := append([]incidents.Fact{}, plain...)
		theirs[3] = own(theirs[3])
		for _, c := range []incidents.Context{shop, sameService} {
			a, b := learnedOf(c, "restart", plain...), learnedOf(c, "restart", theirs...)
			if more := (b.Score - a.Score) * float64(value); more < 1e-4 {
				t.Errorf("%+d at %s of %s: %v, of its own people %v", value, c.Name, c.Service, a.Score, b.Score)
			}
			if a.Evidence.Up != b.Evidence.Up || a.Evidence.Down != b.Evidence.Down {
				t.Errorf("%+d: one thumb is one thumb: %+v, %+v", value, a.Evidence, b.Evidence)
			}
		}
		for _, c := range []incidents.Context{
			{Name: shop.Name, Service: "search"}, {Name: shop.Name, Service: "mail"}, {Name: "DiskFull", Service: "mail"}, {Name: shop.Name}, {Service: "mail"}, {},
		} {
			if a, b := learnedOf(c, "restart", plain...), learnedOf(c, "restart", theirs...); !reflect.DeepEqual(a, b) {
				t.Errorf("%+d at %+v: %+v, of another service's own people %+v", value, c, a, b)
			}
		}
	}
}

// However many own people a service has, their thumbs are bounded as all are, and what
// was proved elsewhere stands as it did.
func TestAServicesOwnPeopleDoNotOutvoteProof(t *testing.T) {
	t.Parallel()
	facts := make([]incidents.Fact, 0, 210)
	for i := range 200 {
		facts = append(facts, own(thumbs(incidents.ID(i), "liked", fmt.Sprint("person:", i), 1, shop, day0)))
	}
	for i := range 5 {
		facts = append(facts, outcome(incidents.ID(300+i), "proved", shop, true, day0), outcome(incidents.ID(400+i), "liked", shop, false, day0))
	}
	var m Model
	m.Learn(facts...)
	for _, c := range []incidents.Context{shop, {Name: shop.Name, Service: "search"}} {
		wantOrder(t, m.Rank(c, candidates("liked", "proved"), day0), "proved", "liked")
	}
}

// An own thumb that is changed or taken back is taken back as what it was.
func TestAnOwnThumbIsTakenBackWhole(t *testing.T) {
	t.Parallel()
	before := []incidents.Fact{outcome(1, "restart", shop, true, day0), own(thumbs(2, "restart", "person:cho", 1, shop, day0))}
	up := own(thumbs(3, "restart", "person:bea", 1, shop, day0))
	plain := thumbs(3, "restart", "person:bea", 1, shop, day0) // since then the service is not theirs any more
	back := thumbs(3, "restart", "person:bea", 0, shop, day0)
	if a, b := learnedOf(shop, "restart", before...), learnedOf(shop, "restart", append(before, up, back)...); !reflect.DeepEqual(a, b) {
		t.Errorf("%+v, after it was taken back %+v", a, b)
	}
	if a, b := learnedOf(shop, "restart", append(before, plain)...), learnedOf(shop, "restart", append(before, up, plain)...); !reflect.DeepEqual(a, b) {
		t.Errorf("%+v, after it was an own one %+v", a, b)
	}
}

// The reasons say that own thumbs count double, and a thumb down is a reason too.
func TestThumbsAreReasons(t *testing.T) {
	t.Parallel()
	terms := func(facts ...incidents.Fact) []incidents.Term {
		return learnedOf(shop, "restart", facts...).Evidence.Terms
	}
	down := thumbs(1, "restart", "person:bea", -1, shop, day0.Add(-time.Hour))
	if got := terms(down); len(got) != 1 || got[0].Because.Phrase != "why.here.thumbs" || got[0].Weight > -.05 {
		t.Errorf("a thumb down: %+v", got)
	}
	got := terms(own(down), thumbs(2, "restart", "person:cho", -1, shop, day0))
	if len(got) != 1 || got[0].Because.Phrase != "why.here.thumbs.own" || got[0].Because.Args["own"] != "1" || got[0].Because.Args["down"] != "2" {
		t.Errorf("one of two is an own one: %+v", got)
	}
}
