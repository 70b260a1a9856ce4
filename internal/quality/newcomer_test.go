package main

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/hikeshi-ops/hikeshi/learning/replay"
)

// classed is a log of two classes that take turns, each with its own action.
func classed(n int) []line {
	var all []line
	for i := range n {
		class := []string{"disk|full", "net|down"}[i%2]
		field := func(v any) json.RawMessage { return json.RawMessage(fmt.Sprintf("%q", fmt.Sprint(v))) }
		all = append(all, line{id: fmt.Sprint("I", i), class: class, raw: map[string]json.RawMessage{
			"id": field(fmt.Sprint("I", i)), "t": json.RawMessage(fmt.Sprint(1000 * (i + 1))), "tr": json.RawMessage(fmt.Sprint(1000*(i+1) + 10)),
			"ctx": json.RawMessage(`{"class":"` + class + `"}`), "group": field("g"), "code": field(class),
		}})
	}
	return all
}

// A newcomer is right for its class from the middle on and for nothing else, is found
// after the first incident that it helped with, and takes nothing from the others.
func TestANewcomerArrives(t *testing.T) {
	t.Parallel()
	lines := classed(60)
	_, right, err := rewrite(lines, "net|down")
	if err != nil || right["I29"] != "g|net|down" || right["I30"] != "g|disk|full" || right["I31"] != newcomer+"|"+newcomer {
		t.Fatalf("the log says %q %q %q, %v", right["I29"], right["I30"], right["I31"], err)
	}
	all, err := arrivals(t.Context(), lines, replay.Options{Regime: replay.F0, Noise: replay.DefaultNoise})
	if err != nil || len(all) != 2 {
		t.Fatalf("%+v, %v", all, err)
	}
	for _, a := range all {
		if want := (arrival{begun: 1, told: 1, settled: 1}); a != want {
			t.Errorf("it arrived as %+v, want %+v", a, want)
		}
	}
}

// What is never found, and what the others lose, is said.
func TestArrivalsAreCompared(t *testing.T) {
	t.Parallel()
	lines := classed(20)
	without, with := make([]seen, 20), make([]seen, 20)
	for i := range with {
		with[i].told = i
		if i%2 == 1 {
			with[i].at = -1
		}
	}
	with[10].at, with[12].at = 1, 5 // of the others, after the middle: one second, one sixth
	if got, want := compare(lines, "net|down", without, with), (arrival{begun: 5, told: 19, loss1: 40, loss3: 20}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}
