package incidents

import (
	"strconv"
	"testing"
	"time"
)

// lives are four incidents to which everything happens that can.
func lives(t *testing.T) []*story {
	t.Helper()
	st := opened(t, Rule{Hold: time.Minute, Quiet: time.Minute, Reopen: time.Minute})
	st.pass(minute(1))
	st.must(RoomSynced{Chat: "console", Room: Room{ID: "r"}}, minute(1))
	st.must(RoomSynced{Chat: "console", Room: Room{ID: "r", LastSeq: 3}}, minute(1))
	st.must(RoomSynced{Chat: "slack", Room: Room{ID: "storm", Row: 42}}, minute(1))
	st.must(WantRoom{By: bea}, minute(1))
	st.must(GiveUp{Effect: Effect{Key: "42/room/slack"}, Reason: "invalid_auth"}, minute(1))
	st.must(TicketSynced{Tracker: "jira", Ticket: Ticket{Key: "OPS-1"}}, minute(1))
	st.must(TicketSynced{Tracker: "jira", Ticket: Ticket{Key: "OPS-1", Status: "Open", LastSeq: 5}}, minute(1))
	st.must(UnlinkTicket{By: bea, Tracker: "jira"}, minute(2))
	st.must(AskTicket{By: bea, Tracker: "jira"}, minute(2))
	st.must(LinkTicket{By: bea, Tracker: "jira", Key: "OPS-7"}, minute(2))
	st.pass(minute(8)) // nobody acknowledged
	st.must(Ack{By: bea}, minute(9))
	st.must(SetSeverity{By: bea, Severity: Sev1}, minute(9))
	st.must(Lead{By: bea, Who: bea}, minute(9))
	st.must(Assign{By: bea, Who: abe}, minute(9))
	st.must(Note{By: bea, Text: "looking"}, minute(9))
	st.must(AddTodo{By: bea, Text: "raise the limit"}, minute(9))
	st.must(EndTodo{By: bea, N: 1}, minute(9))
	st.must(EndTodo{By: bea, N: 1, Open: true}, minute(9))
	st.must(DropTodo{By: bea, N: 1, Why: "the pool goes"}, minute(9))
	st.must(Said{Chat: "slack", MessageID: "1", By: eve, Text: "it is the pool", At: minute(9), Pinned: true}, minute(10))
	st.must(Diagnosed{Findings: []Finding{{Check: "shop/health", OK: true}}}, minute(9))
	st.must(Consulted{By: bea, Line: "logs"}, minute(9))
	st.must(Useful{By: bea, Item: "check/shop/health", Value: 1}, minute(9))
	st.must(suggestions(restart(42)), minute(9))
	st.must(Vote{By: bea, Action: "restart-web", Value: 1}, minute(9))
	st.must(Request{By: bea, Plan: restart(42)}, minute(9))
	st.must(Deny{By: abe, ID: "1"}, minute(9))
	st.must(Request{By: bea, Plan: restart(42)}, minute(9))
	st.pass(minute(30)) // nobody decided
	st.must(Request{By: bea, Plan: risky(42)}, minute(31))
	st.must(Approve{By: abe, ID: "3", Digest: risky(42).Digest, SignedIn: minute(31)}, minute(31))
	st.must(Withdraw{By: bea, ID: "3"}, minute(31))
	for i, end := range []func(run string, at time.Time){
		func(run string, at time.Time) { st.must(FinishRun{Run: run, Owner: "p", Steps: failed("restart")}, at) },
		func(run string, at time.Time) { st.must(LoseRun{Run: run}, at) },
		func(run string, at time.Time) {
			st.must(FinishRun{Run: run, Owner: "p", Steps: passed("restart")}, at)
			st.must(Looked{Run: run, After: failed("health")}, at.Add(time.Hour))
		},
		func(run string, at time.Time) {
			st.must(FinishRun{Run: run, Owner: "p", Steps: passed("restart")}, at)
			st.must(Looked{Run: run, After: passed("health")}, at)
			st.must(receive(ended(firing("HighErrorRate", "warning", noon), at)), at)
			st.must(Looked{Run: run, After: passed("health")}, at.Add(time.Minute))
		},
	} {
		at := minute(60 + 120*i)
		st.must(Approve{By: abe, Action: "restart-web", Digest: restart(42).Digest}, at)
		run := "INC-42/" + strconv.Itoa(i+1)
		st.must(StartRun{Run: run, Owner: "p"}, at)
		end(run, at.Add(time.Minute))
	}
	st.wantStatus(Resolved)
	st.must(Reopen{By: eve}, st.s.Resolved.At.Add(time.Second))
	st.must(Resolve{By: eve}, st.s.UpdatedAt.Add(time.Second))
	st.pass(st.s.UpdatedAt.Add(time.Hour))
	st.wantStatus(Closed)
	all := []*story{st}

	st = opened(t, Rule{Hold: time.Minute})
	st.must(receive(ended(firing("HighErrorRate", "warning", noon), noon)), noon)
	st.pass(minute(2))
	st.wantStatus(Discarded)
	all = append(all, st)

	st = opened(t, Rule{})
	st.must(suggestions(restart(42)), minute(1))
	for _, kind := range []EventKind{EventWithheld, EventProposed, EventAccepted, EventRevoked, EventDemoted} {
		st.must(TellTrust{By: abe, Action: "restart-web", Word: Word{kind, Because("because.trust_changed")}}, minute(1))
	}
	st.must(Automate{Action: "restart-web", Digest: restart(42).Digest, Standing: accepted()}, minute(2))
	all = append(all, st)

	st = newStory(t)
	st.must(opening(Rule{}, until(firing("HighErrorRate", "", noon), minute(4))), noon)
	st.must(receive(until(firing("HighErrorRate", "", noon), minute(7))), minute(3))
	return append(all, st)
}
