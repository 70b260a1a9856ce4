package record

import (
	"encoding/hex"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// aFact is one with something in most fields.
func aFact() incidents.Fact {
	return incidents.Fact{
		Seq: 7, Kind: incidents.FactOutcome, Incident: 42, At: epoch, Action: "restart-web", Value: 1, Took: time.Minute,
		Context: incidents.Context{Service: "shop", Name: "HighErrors", Source: "alertmanager", Failing: []string{"restart-web/health"},
			Labels: incidents.LabelsFromMap(map[string]string{"service": "shop", "instance": "10.0.0.7:9100", "pod": "shop-7f9c"})},
	}
}

// aList is a list that was shown, with a place that was drawn.
func aList() incidents.Fact {
	return incidents.Fact{
		Seq: 7, Kind: incidents.FactShown, Incident: 42, At: epoch, Context: incidents.Context{Service: "shop", Name: "HighErrors"},
		Shown: []incidents.Shown{{Action: "restart-web", Chance: .8125, Propensity: 1}, {Action: "flush-cache", Chance: .31, Propensity: .1}},
	}
}

func TestAFactIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := aFact()
		f.Seq, f.Action, f.Person = 0, rapid.String().Draw(t, "action"), rapid.String().Draw(t, "person")
		f.Context.Service = strings.Repeat(rapid.String().Draw(t, "service"), rapid.SampledFrom([]int{1, 1, 1000}).Draw(t, "times"))
		f.Shown = []incidents.Shown{{Action: f.Action, Chance: rapid.Float64Range(0, 1).Draw(t, "chance"), Propensity: 1}}
		b, err := encodeFact(&f)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := json.Marshal(&f)
		if err != nil {
			t.Fatal(err)
		}
		var want incidents.Fact
		if err := json.Unmarshal(plain, &want); err != nil {
			t.Fatal(err)
		}
		want.Seq = 9
		if got := Fact(9, b); !reflect.DeepEqual(got, want) {
			t.Fatalf("read %+v, want %+v", got, want)
		}
		if got := Fact(9, plain); !reflect.DeepEqual(got, want) {
			t.Fatalf("of an earlier release: read %+v, want %+v", got, want)
		}
	})
}

// What this release writes must be read by all later ones: these bytes stay.
var writtenByThisRelease = map[string]func() incidents.Fact{
	"0157576f95823ac71caf734c8c50dc63a86b64146260696560608523f4ca5393c8725771467e01c26d1e99e919ae4545f945c5b88313291d20654868e1640e299d60391064baae799a65324af603db598b922691bc81489eb580000000ffff":   aFact,
	"017bbfdb68823ac71cee1c4814233bc6c408c53586ba464621069656060656389d82cbdee28cfc0284dd1e99e919ae4545f945c504d256796a124af2b2303432c597c2d2724a8b3374931393335251f4191beaa0556186b5b1b580000000ffff": aList,
}

func TestFactsOfThisReleaseStayReadable(t *testing.T) {
	t.Parallel()
	for written, fact := range writtenByThisRelease {
		want := fact()
		b, err := hex.DecodeString(written)
		if err != nil {
			t.Fatal(err)
		}
		if got := Fact(7, b); !reflect.DeepEqual(got, want) {
			now, err := encodeFact(&want)
			t.Errorf("read %+v, want %+v (today it would be %x, %v)", got, want, now, err)
		}
	}
}

// A damaged fact is never taken for another one, and one of a later release for none.
func TestADamagedFactIsSaid(t *testing.T) {
	t.Parallel()
	f := aFact()
	whole, err := encodeFact(&f)
	if err != nil {
		t.Fatal(err)
	}
	unread := incidents.Fact{Seq: 7, Kind: incidents.FactUnreadable}
	for i := range whole {
		for _, bit := range []byte{1, 0x80} {
			b := slices.Clone(whole)
			b[i] ^= bit
			if got := Fact(7, b); !reflect.DeepEqual(got, unread) && !reflect.DeepEqual(got, f) {
				t.Fatalf("byte %d changed: read %+v", i, got)
			}
		}
		if got := Fact(7, whole[:i]); !reflect.DeepEqual(got, unread) {
			t.Fatalf("cut after %d bytes: read %+v", i, got)
		}
	}
	for _, b := range []string{"{", `{"kind":7}`, "\x02later", "null"} {
		if got := Fact(7, []byte(b)); !reflect.DeepEqual(got, unread) {
			t.Errorf("%q: read %+v", b, got)
		}
	}
	if len(whole)*2 > len(mustJSON(t, f)) {
		t.Errorf("a fact takes %d bytes, its JSON %d", len(whole), len(mustJSON(t, f)))
	}
}

func mustJSON(t *testing.T, what any) []byte {
	t.Helper()
	b, err := json.Marshal(what)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
