package conformance

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage"
)

// The pieces the tests are made of.

const lane = "test"

var epoch = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

var policy = incidents.Policy{Chats: []string{"console"}}

func alert(pairs ...string) incidents.Alert {
	m := map[string]string{"alertname": "HighErrors", "service": "checkout", "severity": "critical"}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return incidents.Alert{
		Labels:      incidents.LabelsFromMap(m),
		Annotations: incidents.LabelsFromMap(map[string]string{"summary": "5xx above 5 %"}),
		StartsAt:    epoch,
	}
}

func batch(groupKey string, alerts ...incidents.Alert) *incidents.Batch {
	return &incidents.Batch{Source: "test", ReceivedAt: epoch, GroupKey: groupKey, Alerts: alerts}
}

// readAll reads a whole log.
func readAll(t *testing.T, s storage.Store, log int) []incidents.Entry {
	t.Helper()
	var all []incidents.Entry
	after := int64(0)
	for {
		part, err := s.ReadLog(t.Context(), log, after, 1<<20)
		check(t, err)
		if len(part) == 0 {
			return all
		}
		all = append(all, part...)
		after = part[len(part)-1].Offset
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// opened makes an incident in memory, with the commit that brings it about.
func opened(t *testing.T, s storage.Store, shard int, alerts ...incidents.Alert) (*incidents.Incident, *incidents.Commit) {
	t.Helper()
	if len(alerts) == 0 {
		alerts = []incidents.Alert{alert()}
	}
	id, err := s.NewIDs(t.Context(), shard, 1)
	check(t, err)
	st := &incidents.Incident{}
	g := incidents.Rules(nil).Group("", &alerts[0])
	cmd := incidents.Open{ID: id, Shard: shard, Source: "test", Grouping: g, Alerts: alerts}
	for i := range alerts {
		cmd.Keys = append(cmd.Keys, alerts[i].Fingerprint())
	}
	events, effects, err := incidents.Advance(st, cmd, time.Now(), policy)
	check(t, err)
	return st, &incidents.Commit{
		Shard: shard, Changes: []incidents.Change{{Expect: 0, Events: events, State: st}}, Effects: effects,
		Groups: []incidents.GroupChange{{Key: g.Key, Next: []incidents.ID{id}}},
	}
}

// open commits a new incident.
func open(t *testing.T, s storage.Store, shard int, alerts ...incidents.Alert) *incidents.Incident {
	t.Helper()
	st, c := opened(t, s, shard, alerts...)
	check(t, s.Commit(t.Context(), c))
	return st
}

// declare commits an incident without a group, of which a shard can have many.
func declare(t *testing.T, s storage.Store, shard int, title string) *incidents.Incident {
	t.Helper()
	id, err := s.NewIDs(t.Context(), shard, 1)
	check(t, err)
	st := &incidents.Incident{}
	return advance(t, s, st, incidents.Declare{ID: id, Shard: shard, Title: title, By: somebody})
}

var somebody = incidents.Actor{ID: "console:you", Name: "you"}

// step makes the commit of a command without its effects.
func step(t *testing.T, st *incidents.Incident, cmd incidents.Command) *incidents.Commit {
	t.Helper()
	before := st.Version
	events, _, err := incidents.Advance(st, cmd, time.Now(), incidents.Policy{})
	check(t, err)
	return &incidents.Commit{Shard: st.Shard, Changes: []incidents.Change{{Expect: before, Events: events, State: st}}}
}

func advance(t *testing.T, s storage.Store, st *incidents.Incident, cmd incidents.Command) *incidents.Incident {
	t.Helper()
	check(t, s.Commit(t.Context(), step(t, st, cmd)))
	return st
}

func note(text string) incidents.Command { return incidents.Note{By: somebody, Text: text} }

// effect makes an effect that is due after wait.
func effect(shard int, key string, wait time.Duration, urgency int) incidents.Effect {
	return incidents.Effect{
		Key: key, Kind: incidents.DoDiagnose, Incident: 1, Shard: shard, Lane: lane, Arg: "arg of " + key,
		Due: time.Now().Add(wait), Urgency: urgency,
	}
}

func ask(t *testing.T, s storage.Store, effects ...incidents.Effect) {
	t.Helper()
	check(t, s.Commit(t.Context(), &incidents.Commit{Shard: effects[0].Shard, Effects: effects}))
}

// claim takes up to n effects of the lane for a long time.
func claim(t *testing.T, s storage.Store, shard, n int) []incidents.Claim {
	t.Helper()
	claims, _, err := s.Claim(t.Context(), incidents.ClaimQuery{Shard: shard, Lane: lane, Owner: "test", Max: n, Lease: time.Minute})
	check(t, err)
	return claims
}

// claimOne takes the one effect that is due.
func claimOne(t *testing.T, s storage.Store, shard int, key string) *incidents.Claim {
	t.Helper()
	claims := claim(t, s, shard, 10)
	if len(claims) != 1 || claims[0].Effect.Key != key {
		t.Fatalf("claimed %v, want only %s", keys(claims), key)
	}
	return &claims[0]
}

func nothingDue(t *testing.T, s storage.Store, shard int) {
	t.Helper()
	if claims := claim(t, s, shard, 10); len(claims) > 0 {
		t.Fatalf("claimed %v, want nothing", keys(claims))
	}
}

func keys(claims []incidents.Claim) []string {
	var out []string
	for i := range claims {
		out = append(out, claims[i].Effect.Key)
	}
	return out
}

func done(t *testing.T, s storage.Store, c *incidents.Claim) {
	t.Helper()
	check(t, s.Commit(t.Context(), &incidents.Commit{Shard: c.Effect.Shard, Done: c}))
}

// awaitClaim claims one effect of the lane as soon as it is due.
func awaitClaim(t *testing.T, s storage.Store, shard int, lease time.Duration) *incidents.Claim {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		claims, next, err := s.Claim(ctx, incidents.ClaimQuery{Shard: shard, Lane: lane, Owner: "test", Max: 1, Lease: lease})
		check(t, err)
		if len(claims) == 1 {
			return &claims[0]
		}
		if next.IsZero() {
			t.Fatal("nothing waits in the lane")
		}
		select {
		case <-ctx.Done():
			t.Fatalf("nothing became due; the next is at %v, now is %v", next, time.Now())
		case <-time.After(max(time.Until(next), time.Millisecond)):
		}
	}
}

func name(format string, args ...any) string { return fmt.Sprintf(format, args...) }
