package record

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

var epoch = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

func batch(groupKey string, labels ...string) *incidents.Batch {
	m := map[string]string{}
	for i := 0; i+1 < len(labels); i += 2 {
		m[labels[i]] = labels[i+1]
	}
	return &incidents.Batch{Source: "s", ReceivedAt: epoch, GroupKey: groupKey, Alerts: []incidents.Alert{{
		Labels: incidents.LabelsFromMap(m), StartsAt: epoch,
	}}}
}

func TestBatches(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var entry []byte
		var want []*incidents.Batch
		for range rapid.IntRange(1, 5).Draw(t, "batches") {
			b := batch(rapid.String().Draw(t, "group"), rapid.String().Draw(t, "name"), rapid.String().Draw(t, "value"))
			want = append(want, b)
			entry = append(entry, Batch(b)...)
		}
		got, err := Batches(entry)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("read %+v, %v; want %+v", got, err, want)
		}
		cut := rapid.IntRange(1, len(entry)-1).Draw(t, "cut")
		if part, err := Batches(entry[:cut]); err == nil && len(part) == len(want) {
			t.Fatalf("a cut entry reads like a whole one")
		}
	})
}

func FuzzBatches(f *testing.F) {
	f.Add(Batch(batch("g", "a", "b")))
	f.Add([]byte{0, 0, 0, 1})
	f.Add([]byte{255, 255, 255, 255, 1})
	f.Fuzz(func(t *testing.T, entry []byte) {
		got, err := Batches(entry)
		if err != nil {
			return
		}
		var again []byte
		for _, b := range got {
			again = append(again, Batch(b)...)
		}
		back, err := Batches(again)
		if err != nil || !reflect.DeepEqual(got, back) {
			t.Fatalf("%+v became %+v, %v", got, back, err)
		}
	})
}

func TestLog(t *testing.T) {
	t.Parallel()
	if Log(batch("any"), 1) != 0 || Log(&incidents.Batch{}, 16) != 0 {
		t.Error("one log, or nothing to go by, is log 0")
	}
	used := map[int]int{}
	for i := range 1000 {
		key := fmt.Sprint("group ", i)
		n := Log(batch(key, "x", "1"), 16)
		if n != Log(batch(key, "x", "2"), 16) {
			t.Fatal("the same group goes to two logs")
		}
		used[n]++
		used[Log(batch("", "i", key), 16)]++
	}
	for n := range 16 {
		if used[n] < 60 {
			t.Errorf("log %d has %d of 2000", n, used[n])
		}
	}
}

// declared is the first commit of an incident.
func declared(t testing.TB, title string) (*incidents.Incident, *incidents.Commit) {
	t.Helper()
	st := &incidents.Incident{}
	events, _, err := incidents.Advance(st, incidents.Declare{ID: 7, Title: title, By: incidents.Actor{ID: "console:you"}}, epoch, incidents.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	return st, &incidents.Commit{Changes: []incidents.Change{{Events: events, State: st}}}
}

func noted(t testing.TB, st *incidents.Incident, text string) *incidents.Commit {
	t.Helper()
	before := st.Version
	events, _, err := incidents.Advance(st, incidents.Note{By: incidents.Actor{ID: "console:you"}, Text: text}, epoch, incidents.Policy{})
	if err != nil {
		t.Fatal(err)
	}
	return &incidents.Commit{Changes: []incidents.Change{{Expect: before, Events: events, State: st}}}
}

// TestSnapshots: whatever happens to an incident, its latest snapshot and the
// events after it give its state, all snapshots together weigh no more than a
// few times the events, and a load never replays much more than a snapshot.
func TestSnapshots(t *testing.T) {
	t.Parallel()
	st, c := declared(t, "x")
	var snapshot []byte
	var since [][]byte
	var weight Weight
	events, snapshots := 0, 0
	weigh := func(incidents.ID, int64) (Weight, bool) { return weight, true }
	for i := range 400 {
		e, err := Encode(c, weigh)
		if err != nil {
			t.Fatal(err)
		}
		ch := e.Changes[0]
		since = append(since, ch.Events...)
		weight.Since += ch.Size
		events += ch.Size
		if ch.Snapshot != nil {
			snapshot, since = ch.Snapshot, nil
			weight = Weight{Snapshot: len(snapshot)}
			snapshots += len(snapshot)
		}
		got, err := State(snapshot, since)
		if err != nil {
			t.Fatal(err)
		}
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(st)
		if string(a) != string(b) {
			t.Fatalf("after %d: %s, want %s", i, a, b)
		}
		if weight.Since > max(weight.Snapshot, smallSnapshot)+4000 {
			t.Fatalf("%d bytes of events after a snapshot of %d", weight.Since, weight.Snapshot)
		}
		c = noted(t, st, strings.Repeat("n", 1+i*7%1500))
	}
	if snapshots == 0 || snapshots > events {
		t.Fatalf("%d bytes of snapshots for %d of events", snapshots, events)
	}
}

// TestUnknownWeight: where nobody knows how heavy an incident is, its state is
// written: that is always right.
func TestUnknownWeight(t *testing.T) {
	t.Parallel()
	st, _ := declared(t, "x")
	e, err := Encode(noted(t, st, "y"), func(incidents.ID, int64) (Weight, bool) { return Weight{}, false })
	if err != nil || e.Changes[0].Snapshot == nil {
		t.Fatalf("%+v, %v", e, err)
	}
}

// TestEncodeHoldsNothing: the state belongs to its owner, who goes on changing it.
func TestEncodeHoldsNothing(t *testing.T) {
	t.Parallel()
	st, c := declared(t, "before")
	e, err := Encode(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	st.Title = "after"
	c.Changes[0].Events[0].Opening.Title = "after"
	got, err := State(nil, e.Changes[0].Events)
	if err != nil || got.Title != "before" {
		t.Fatalf("title %q, %v", got.Title, err)
	}
}

func TestStateRefusesGaps(t *testing.T) {
	t.Parallel()
	st, c := declared(t, "x")
	first, err := Encode(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	noted(t, st, "lost")
	third, err := Encode(noted(t, st, "third"), func(incidents.ID, int64) (Weight, bool) { return Weight{}, true })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := State(nil, append(first.Changes[0].Events, third.Changes[0].Events...)); err == nil {
		t.Fatal("an event is missing, and nobody noticed")
	}
	if _, err := State([]byte("{"), nil); err == nil {
		t.Fatal("half a snapshot was read")
	}
}
