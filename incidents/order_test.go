package incidents

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// An incident's visible state does not depend on the order in which news
// of it arrives. News is what happened outside, with the time at which it
// happened: reports of alerts, and people's words that carry the time at which
// they were said. docs/decisions/0001-registers.md says how.
//
// Not news, and so not permuted here:
//   - Words without a time mean "now", after all that is known: acknowledging
//     twice now is once. Lead, Assign and Vote have no time of their own at
//     all; the log's order is their order, as in a conversation.
//   - Requests, approvals, denials, runs and looks are a chain of causes, not
//     news: each step names the one before and is refused without it.
//   - Timers are Hikeshi's own decisions, taken on what it knew then. What was
//     resolved because all was quiet, or closed, stays in the log as decided.
//     Later news can still take it back: the last piece of every story here is
//     a close timer that rings too early, in the middle or twice.
//   - Words said after the incident was closed are refused, so closing is the
//     end of each story told in order, and only its timer is permuted.

// piece is one piece of news.
type piece struct {
	at   int // minutes after noon at which it happened
	cmd  Command
	name string
}

func (p piece) String() string { return p.name }

func fires(name, severity string, start, heard int) piece {
	return piece{heard, receive(firing(name, severity, minute(start))), fmt.Sprintf("%s fires since %d", name, start)}
}

func firesUntil(name, severity string, start, heard, term int) piece {
	return piece{heard, receive(until(firing(name, severity, minute(start)), minute(term))), fmt.Sprintf("%s fires since %d until %d", name, start, term)}
}

func ends(name, severity string, start, end int) piece {
	return piece{end, receive(ended(firing(name, severity, minute(start)), minute(end))), fmt.Sprintf("%s was over from %d to %d", name, start, end)}
}

func acks(who Actor, at int) piece {
	return piece{at, Ack{By: who, At: minute(at)}, fmt.Sprintf("%s acks at %d", who.Name, at)}
}

func rates(who Actor, sev Severity, at int) piece {
	return piece{at, SetSeverity{By: who, Severity: sev, At: minute(at)}, fmt.Sprintf("%s says %s at %d", who.Name, sev, at)}
}

func resolves(who Actor, at int) piece {
	return piece{at, Resolve{By: who, At: minute(at)}, fmt.Sprintf("%s resolves at %d", who.Name, at)}
}

func reopens(who Actor, at int) piece {
	return piece{at, Reopen{By: who, At: minute(at)}, fmt.Sprintf("%s reopens at %d", who.Name, at)}
}

func notes(who Actor, at int) piece {
	return piece{at, Note{By: who, Text: "hm", At: minute(at)}, fmt.Sprintf("%s notes at %d", who.Name, at)}
}

// Everything in a story happens within its first hour. Told out of order it is
// heard from minute told on; timers have all rung by minute settled.
const told, settled = 200, 1000

func closes() piece {
	return piece{told - 1, Tick{Name: string(TimerClose)}, "the close timer rings"}
}

func lapses(at int) piece {
	return piece{at, Tick{Name: string(TimerAlerts)}, "the expiry timer rings"}
}

// visible is what people see of an incident and what decides about it.
func visible(s *Incident) string {
	var b strings.Builder
	fmt.Fprintf(&b, "status %s, severity %s (alerts say %s)", s.Status(), s.Severity(), s.AlertSeverity)
	if s.SetSeverity != nil {
		fmt.Fprintf(&b, " set by %s at %s", s.SetSeverity.By.ID, s.SetSeverity.At.Format(time.TimeOnly))
	}
	for _, m := range []struct {
		what string
		mark *Mark
	}{{"acknowledged", s.AckedBy()}, {"resolved", s.Resolved}, {"reopened", s.Reopened}} {
		if m.mark != nil {
			fmt.Fprintf(&b, "; %s by %s at %s", m.what, m.mark.By.ID, m.mark.At.Format(time.TimeOnly))
		}
	}
	for _, name := range []string{"A", "B", "C"} {
		for _, sev := range []string{"critical", "warning"} {
			a := firing(name, sev, noon)
			if t, known := s.Alerts.Get(a.Fingerprint()); known {
				fmt.Fprintf(&b, "; %s %s firing: %v", name, sev, t.Firing())
			}
		}
	}
	fmt.Fprintf(&b, "; %d of %d fire; %d notes; acks", s.Alerts.Firing(), s.Alerts.Len(), s.Notes)
	for _, m := range s.Acks {
		fmt.Fprintf(&b, " %s@%s", m.By.Name, m.At.Format(time.TimeOnly))
	}
	return b.String()
}

func begin(t teller, rule Rule) *story {
	st := newStory(t)
	st.light = true // the laws are sequence_test.go's concern
	st.must(opening(rule, firing("A", "warning", noon)), noon)
	return st
}

// settle lets all timers ring.
func (st *story) settle() string {
	st.t.Helper()
	for range 2 {
		for _, timer := range []Timer{TimerAlerts, TimerQuiet, TimerClose} {
			st.must(Tick{Name: string(timer)}, minute(settled))
		}
	}
	return visible(st.s)
}

// inOrder tells each piece when it happens.
func inOrder(t teller, rule Rule, pieces []piece) string {
	t.Helper()
	sorted := slices.Clone(pieces)
	slices.SortStableFunc(sorted, func(a, b piece) int { return a.at - b.at })
	st := begin(t, rule)
	for _, p := range sorted {
		st.must(p.cmd, minute(p.at))
	}
	return st.settle()
}

// asTold tells the pieces late, in the order given.
func asTold(t teller, rule Rule, pieces []piece) string {
	t.Helper()
	st := begin(t, rule)
	for i, p := range pieces {
		st.must(p.cmd, minute(told+i))
	}
	return st.settle()
}

var orderRules = []Rule{{Reopen: 30 * time.Minute}, {Reopen: 30 * time.Minute, Quiet: 5 * time.Minute}}

// TestEveryOrderOfAStory tries all 720 orders of six pieces of news, for
// stories in which each piece changes what another one means.
func TestEveryOrderOfAStory(t *testing.T) {
	t.Parallel()
	for name, pieces := range map[string][]piece{
		"a relapse after a resolution": {
			acks(bea, 2), ends("A", "warning", 0, 5), resolves(bea, 7), fires("A", "warning", 20, 21), acks(abe, 25), closes(),
		},
		"the end is heard before the beginning": {
			fires("B", "critical", 3, 3), ends("B", "critical", 3, 9), ends("A", "warning", 0, 10), acks(abe, 4), acks(bea, 3), resolves(eve, 12),
		},
		"reopened by a person, and resolved again": {
			ends("A", "warning", 0, 4), resolves(bea, 5), reopens(abe, 8), acks(abe, 9), resolves(abe, 15), closes(),
		},
		"older episodes come last": {
			fires("A", "warning", 30, 30), ends("A", "warning", 20, 25), fires("A", "warning", 10, 10), ends("A", "warning", 10, 15), resolves(bea, 27), acks(bea, 26),
		},
		"two people disagree about the severity": {
			rates(bea, Sev1, 5), rates(abe, Sev3, 6), rates(bea, Sev1, 7), rates(eve, Sev2, 6), fires("B", "critical", 2, 2), acks(eve, 6),
		},
		"an alert that lapses and comes back": {
			firesUntil("A", "warning", 0, 1, 5), lapses(6), firesUntil("A", "warning", 0, 4, 8), lapses(9), fires("A", "warning", 20, 20), resolves(bea, 12),
		},
		"a flap that nobody heard of until it was over": {
			resolves(bea, 5), ends("A", "warning", 10, 11), closes(), acks(bea, 3), acks(bea, 12), ends("A", "warning", 0, 4),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, rule := range orderRules {
				want := inOrder(t, rule, pieces)
				permutations(pieces, func(order []piece) {
					if got := asTold(t, rule, order); got != want {
						t.Fatalf("told as %v:\n got %s\nwant %s", order, got, want)
					}
				})
			}
		})
	}
}

func permutations(pieces []piece, visit func([]piece)) {
	var walk func(k int)
	walk = func(k int) {
		if k == len(pieces) {
			visit(pieces)
			return
		}
		for i := k; i < len(pieces); i++ {
			pieces[k], pieces[i] = pieces[i], pieces[k]
			walk(k + 1)
			pieces[k], pieces[i] = pieces[i], pieces[k]
		}
	}
	pieces = slices.Clone(pieces)
	walk(0)
}

func drawPiece(t *rapid.T) piece {
	who := rapid.SampledFrom([]Actor{bea, abe, eve}).Draw(t, "who")
	name := rapid.SampledFrom([]string{"A", "A", "B", "C"}).Draw(t, "alert")
	sev := map[string]string{"A": "warning", "B": "critical", "C": "warning"}[name]
	at := rapid.IntRange(0, 60).Draw(t, "at")
	start := rapid.IntRange(0, at).Draw(t, "start")
	switch rapid.IntRange(0, 10).Draw(t, "kind") {
	case 0, 1:
		return fires(name, sev, start, at)
	case 2:
		return firesUntil(name, sev, start, at, at+rapid.IntRange(1, 30).Draw(t, "term"))
	case 3, 4:
		return ends(name, sev, start, at)
	case 5:
		return acks(who, at)
	case 6:
		return rates(who, Severity(rapid.IntRange(1, 5).Draw(t, "severity")), at)
	case 7:
		return resolves(who, at)
	case 8:
		return reopens(who, at)
	case 9:
		return notes(who, at)
	default:
		return lapses(at)
	}
}

// TestNoOrderMatters draws stories of up to six pieces, with equal times among
// them, and tells them in any order, some pieces twice, and once more with the
// close timer ringing anywhere.
func TestNoOrderMatters(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rule := rapid.SampledFrom(orderRules).Draw(t, "rule")
		pieces := rapid.SliceOfN(rapid.Custom(drawPiece), 1, 6).Draw(t, "pieces")
		want := inOrder(t, rule, pieces)

		order := rapid.Permutation(pieces).Draw(t, "order")
		if got := asTold(t, rule, order); got != want {
			t.Fatalf("told as %v:\n got %s\nwant %s", order, got, want)
		}

		twice := slices.Clone(order)
		again := rapid.SampledFrom(order).Draw(t, "again")
		if _, note := again.cmd.(Note); !note { // two notes are two notes
			twice = slices.Insert(twice, rapid.IntRange(0, len(order)).Draw(t, "where"), again)
		}
		if got := asTold(t, rule, twice); got != want {
			t.Fatalf("told twice, as %v:\n got %s\nwant %s", twice, got, want)
		}

		ringing := slices.Insert(slices.Clone(order), rapid.IntRange(0, len(order)).Draw(t, "ring"), closes())
		want = inOrder(t, rule, append(slices.Clone(pieces), closes()))
		if got := asTold(t, rule, ringing); got != want {
			t.Fatalf("told as %v:\n got %s\nwant %s", ringing, got, want)
		}
	})
}

// TestLateNewsIsWelcome spells out "acknowledged after it was closed".
func TestLateNewsIsWelcome(t *testing.T) {
	t.Parallel()
	rule := Rule{Quiet: 5 * time.Minute, Reopen: 30 * time.Minute}

	st := begin(t, rule)
	st.must(receive(ended(firing("A", "warning", noon), minute(3))), minute(3))
	st.pass(minute(60))
	st.wantStatus(Closed)
	st.must(Ack{By: bea, At: minute(2)}, minute(61))
	st.wantStatus(Closed)
	if by := st.s.AckedBy(); by == nil || by.By.ID != bea.ID || !by.At.Equal(minute(2)) {
		t.Errorf("acknowledged by %+v, want bea at 12:02", by)
	}
	if _, err := st.try(Ack{By: abe, At: minute(59)}, minute(61)); CodeOf(err) != Conflict {
		t.Errorf("an acknowledgement of after the closing: %v", err)
	}
	st.must(Resolve{By: bea, At: minute(37)}, minute(62))
	st.wantStatus(Resolved) // it was closed less than half an hour after that
	st.pass(minute(68))
	st.wantStatus(Closed)
}

// TestClocksAheadOfOurs: what is said now counts, even where a replica
// whose clock is ten minutes ahead wrote what it answers.
func TestClocksAheadOfOurs(t *testing.T) {
	t.Parallel()
	st := begin(t, Rule{Quiet: 5 * time.Minute, Reopen: 30 * time.Minute})
	st.must(Resolve{By: bea}, minute(20))
	st.must(Reopen{By: abe}, minute(10))
	st.wantStatus(Triggered)
	st.must(Ack{By: abe}, minute(10))
	st.wantStatus(Investigating)
	st.must(SetSeverity{By: bea, Severity: Sev1}, minute(20))
	st.must(SetSeverity{By: abe, Severity: Sev2}, minute(11))
	if got := st.s.Severity(); got != Sev2 {
		t.Errorf("severity = %s, want the one that was said last", got)
	}
	st.must(receive(firing("B", "critical", minute(40))), minute(40))
	st.must(Resolve{By: abe}, minute(30))
	st.wantStatus(Resolved)
	if _, err := st.try(Ack{By: abe}, minute(31)); CodeOf(err) != Conflict {
		t.Errorf("acknowledging what is resolved: %v", err)
	}
}
