package incidents

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestNoSequenceBreaksTheLaws throws every command there is at an incident, in
// any order: people's words now and late, alerts, runs with their claims and
// late outcomes, looks, timers early, due and wrong. The laws are in
// promises_test.go.
func TestNoSequenceBreaksTheLaws(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		st := newStory(t)
		now := noon
		rule := Rule{
			Hold:  rapid.SampledFrom([]time.Duration{0, 0, 2 * time.Minute}).Draw(t, "hold"),
			Quiet: rapid.SampledFrom([]time.Duration{0, 5 * time.Minute}).Draw(t, "quiet"), Reopen: 30 * time.Minute,
		}
		if rapid.IntRange(0, 4).Draw(t, "declared") == 0 {
			st.must(Declare{ID: 42, Title: "checkout is slow", By: bea}, now)
		} else {
			st.must(opening(rule, drawAlerts(t, now)...), now)
		}
		if st.s.Version == 0 {
			return // only ends: nothing was opened
		}
		steps := rapid.IntRange(1, 40).Draw(t, "steps")
		for range steps {
			now = now.Add(rapid.SampledFrom([]time.Duration{0, time.Second, 20 * time.Second, 3 * time.Minute, 31 * time.Minute}).Draw(t, "later"))
			if rapid.IntRange(0, 3).Draw(t, "ring") == 0 {
				st.pass(now)
				now = later(now, st.s.UpdatedAt)
			} else {
				st.try(drawCommand(t, st.s, now), now)
			}
			st.timersAreArmed()
		}
		st.replays(rapid.IntRange(0, len(st.log)).Draw(t, "snapshot"))
		if int64(len(st.log)) != st.s.Version {
			t.Fatalf("version %d of %d events", st.s.Version, len(st.log))
		}
		Facts(st.s, st.log)
		tellable(t, Postmortem(st.s, st.log))
	})
}

func drawAlerts(t *rapid.T, now time.Time) []Alert {
	n := rapid.IntRange(1, 3).Draw(t, "alerts")
	alerts := make([]Alert, 0, n)
	for range n {
		name := rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "name")
		start := now.Add(-time.Duration(rapid.IntRange(0, 40).Draw(t, "since")) * time.Minute)
		a := firing(name, map[string]string{"A": "warning", "B": "critical", "C": ""}[name], start)
		switch rapid.IntRange(0, 3).Draw(t, "what") {
		case 0:
			a = ended(a, start.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "lasted"))*time.Minute))
		case 1:
			a = until(a, now.Add(time.Duration(rapid.IntRange(-2, 10).Draw(t, "term"))*time.Minute))
		}
		alerts = append(alerts, a)
	}
	b := Batch{ReceivedAt: now, Alerts: alerts}
	b.Normalise()
	return b.Alerts
}

func drawPlan(t *rapid.T) Plan {
	p := restart(42)
	p.Runbook = rapid.SampledFrom([]string{"restart-web", "clear-cache"}).Draw(t, "runbook")
	p.Verify.NoAlerts = p.Runbook == "clear-cache"
	p.Verify.Stable = rapid.SampledFrom([]time.Duration{0, 30 * time.Second}).Draw(t, "stable")
	if rapid.IntRange(0, 9).Draw(t, "tampered") == 0 {
		p.Digest = restart(7).Digest
		return p
	}
	return p.Seal()
}

func drawResults(t *rapid.T) []StepResult {
	return rapid.SampledFrom([][]StepResult{nil, passed("health"), passed("a", "b"), failed("health"), append(passed("a"), failed("b")...), {{Step: "a", Unsure: true}}}).Draw(t, "results")
}

// drawID is mostly a thing that exists, sometimes one that does not.
func drawID(t *rapid.T, ids []string) string {
	return rapid.SampledFrom(append(slices.Clone(ids), "9", "")).Draw(t, "id")
}

// drawAutomate is mostly what a ladder would say, sometimes a word that does not fit.
func drawAutomate(t *rapid.T, s *Incident, by Actor) Command {
	c := Automate{Action: "restart-web", Digest: restart(42).Digest, Standing: Acceptance{By: by, At: noon, Digest: "d1"}}
	if g := s.suggestion(c.Action); g != nil {
		c.Digest = g.Plan.Digest
	}
	switch rapid.IntRange(0, 5).Draw(t, "unfit") {
	case 0:
		c.Standing.Digest = "d2"
	case 1:
		c.Standing.By = Bot
	case 2:
		c.Digest = restart(7).Digest
	}
	return c
}

func drawCommand(t *rapid.T, s *Incident, now time.Time) Command {
	who := rapid.SampledFrom([]Actor{bea, abe, eve}).Draw(t, "who")
	var said time.Time // now
	if rapid.Bool().Draw(t, "late") {
		said = now.Add(-time.Duration(rapid.IntRange(0, 60).Draw(t, "ago")) * time.Minute)
	}
	var runs, approvals []string
	for i := range s.Runs {
		runs = append(runs, s.Runs[i].ID)
	}
	for i := range s.Approvals {
		approvals = append(approvals, s.Approvals[i].ID)
	}
	owner := rapid.SampledFrom([]string{"p1", "p1", "p2"}).Draw(t, "owner")
	text := rapid.SampledFrom([]string{"", "because <b>I</b> say so"}).Draw(t, "text")
	drawn := []func() Command{
		func() Command { return receive(drawAlerts(t, now)...) },
		func() Command { return receive(drawAlerts(t, now)...) },
		func() Command { return Ack{By: who, At: said} },
		func() Command {
			return SetSeverity{By: who, Severity: Severity(rapid.IntRange(0, 5).Draw(t, "severity")), At: said}
		},
		func() Command { return Lead{By: who, Who: bea} },
		func() Command {
			return Consulted{By: who, Line: "logs " + text, Findings: []Finding{{Check: "shop/health"}}, Clues: []Clue{{Kind: ClueLog, Item: "log/logs", Title: text}}}
		},
		func() Command {
			return Useful{By: who, Item: rapid.SampledFrom([]string{"check/restart-web/health", "log/logs"}).Draw(t, "item"), Value: rapid.IntRange(-1, 1).Draw(t, "useful")}
		},
		func() Command { return Assign{By: who, Who: abe} },
		func() Command { return AddTodo{By: who, Text: text} },
		func() Command {
			return DropTodo{By: who, N: 1, Why: rapid.SampledFrom([]string{"", text}).Draw(t, "why")}
		},
		func() Command { return EndTodo{By: who, N: 1, Open: rapid.Bool().Draw(t, "todo")} },
		func() Command { return Note{By: who, Text: text, At: said} },
		func() Command {
			return Said{Chat: rapid.SampledFrom([]string{"console", "slack"}).Draw(t, "chat"), MessageID: rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "message"), By: who,
				Text: text, At: said, Edited: rapid.Bool().Draw(t, "edited"), Deleted: rapid.IntRange(0, 5).Draw(t, "deleted") == 0, Pinned: rapid.IntRange(0, 3).Draw(t, "pinned") == 0}
		},
		func() Command {
			m := Said{Chat: "slack", MessageID: rapid.SampledFrom([]string{"1", "2", "9"}).Draw(t, "message"), By: who, Text: text, At: said}
			return Pin{By: abe, Message: &m, Key: m.Key(), Off: rapid.Bool().Draw(t, "off")}
		},
		func() Command { return Resolve{By: who, Text: text, At: said} },
		func() Command { return Reopen{By: who, Text: text, At: said} },
		func() Command {
			f := Finding{Check: "restart-web:way"}
			switch rapid.IntRange(0, 2).Draw(t, "way") {
			case 0:
				f.Calls = &Text{EN: text}
			case 1:
				f.Closes = &Text{EN: text}
			}
			return Diagnosed{Findings: []Finding{{Check: "restart-web/health", OK: rapid.Bool().Draw(t, "ok")}, f}}
		},
		func() Command {
			return RunNotes{Run: drawID(t, runs), Note: Text{EN: text, JA: "再起動しました"}}
		},
		func() Command { return suggestions(drawPlan(t)) },
		func() Command { return suggestions(drawPlan(t), restart(42)) },
		func() Command { return Ranked{None: Because("why.none.declared")} },
		func() Command {
			c := suggestions(drawPlan(t))
			c.Trusted = true
			return c
		},
		func() Command { return drawAutomate(t, s, who) },
		func() Command { return drawAutomate(t, s, who) },
		func() Command {
			word := rapid.SampledFrom([]EventKind{EventProposed, EventAccepted, EventRevoked, EventDemoted, EventWithheld, EventNoted, ""}).Draw(t, "word")
			return TellTrust{By: who, Action: rapid.SampledFrom([]string{"restart-web", "x"}).Draw(t, "trusted"), Run: drawID(t, runs), Word: Word{word, Because("because.trust_changed")}}
		},
		func() Command {
			return Vote{By: rapid.SampledFrom([]Actor{bea, abe, Bot}).Draw(t, "voter"), Action: "restart-web", Value: rapid.IntRange(-2, 2).Draw(t, "value")}
		},
		func() Command { return Request{By: who, Plan: drawPlan(t)} },
		func() Command {
			c := Approve{By: rapid.SampledFrom([]Actor{bea, abe, abe, SourceActor("x")}).Draw(t, "approver"), Digest: restart(42).Digest}
			if rapid.Bool().Draw(t, "by request") {
				c.ID = drawID(t, approvals)
				if a := s.Approval(c.ID); a != nil {
					c.Digest = a.Plan.Digest
				}
				return c
			}
			c.Action = "restart-web"
			if sug := s.suggestion(c.Action); sug != nil {
				c.Digest = sug.Plan.Digest
			}
			return c
		},
		func() Command { return Deny{By: who, ID: drawID(t, approvals)} },
		func() Command { return Withdraw{By: who, ID: drawID(t, approvals)} },
		func() Command { return StartRun{Run: drawID(t, runs), Owner: owner} },
		func() Command { return StartRun{Run: drawID(t, runs), Owner: owner} },
		func() Command {
			return FinishRun{Run: drawID(t, runs), Owner: owner, Before: drawResults(t), Steps: drawResults(t)}
		},
		func() Command { return LoseRun{Run: drawID(t, runs)} },
		func() Command {
			return RefuseRun{Run: drawID(t, runs), Owner: rapid.SampledFrom([]string{"", "p", "q"}).Draw(t, "refuser"), Because: Because("because.freeze_unknown")}
		},
		func() Command { return Looked{Run: drawID(t, runs), After: drawResults(t)} },
		func() Command { return Looked{Run: drawID(t, runs), After: passed("health")} },
		func() Command { return RoomSynced{Chat: "console", Room: Room{ID: "r1", Name: s.Slug()}} },
		func() Command {
			key := rapid.SampledFrom([]string{"", "OPS-1", "OPS-2"}).Draw(t, "ticket")
			return TicketSynced{Tracker: "jira", Ticket: Ticket{Key: key, LastSeq: s.Version, Asked: rapid.IntRange(0, 2).Draw(t, "asked")}}
		},
		func() Command { return LinkTicket{By: who, Tracker: "jira", Key: "OPS-2"} },
		func() Command { return UnlinkTicket{By: who, Tracker: "jira"} },
		func() Command { return AskTicket{By: who, Tracker: "jira"} },
		func() Command {
			return TicketTouched{Tracker: "jira", Field: "status", At: now, Status: "Done"}
		},
		func() Command { return RoomSynced{Chat: "slack", Room: Room{ID: "storm", Row: 42}} },
		func() Command { return WantRoom{By: who} },
		func() Command { return RoomArchived{Chat: "slack"} },
		func() Command { return GiveUp{Effect: Effect{Key: "42/room/slack"}, Reason: text} },
		func() Command {
			name := rapid.SampledFrom([]string{"hold", "ack", "quiet", "close", "alerts", "expiry/1", "nonsense"}).Draw(t, "timer")
			return Tick{Name: name, Policy: testPolicy}
		},
		func() Command { return opening(Rule{}, drawAlerts(t, now)...) },
	}
	// Runs are the rarest path: go along it where it is open.
	if s.Busy() == nil && s.Status().Open() && rapid.IntRange(0, 3).Draw(t, "try") == 0 {
		if sug := s.suggestion("restart-web"); sug != nil {
			return Approve{By: abe, Action: "restart-web", Digest: sug.Plan.Digest}
		}
		return suggestions(restart(42))
	}
	if r := s.Busy(); r != nil && rapid.Bool().Draw(t, "go on") {
		switch r.State {
		case RunApproved:
			return StartRun{Run: r.ID, Owner: "p1"}
		case RunRunning:
			if rapid.IntRange(0, 2).Draw(t, "dies") == 0 {
				return LoseRun{Run: r.ID}
			}
			return FinishRun{Run: r.ID, Owner: r.Owner, Before: failed("health"), Steps: drawResults(t)}
		default:
			return Looked{Run: r.ID, After: passed("health")}
		}
	}
	if r := s.runIn(RunUnknown); r != nil && rapid.IntRange(0, 3).Draw(t, "was only slow") == 0 {
		return FinishRun{Run: r.ID, Owner: r.Owner, Steps: drawResults(t)}
	}
	return rapid.SampledFrom(drawn).Draw(t, "command")()
}

// TestEveryKindCanHappen guards the test above against never going anywhere,
// and flow against rows for what never happens.
func TestEveryKindCanHappen(t *testing.T) {
	t.Parallel()
	seen := map[EventKind]bool{}
	for _, st := range lives(t) {
		for i := range st.log {
			seen[st.log[i].Kind] = true
		}
		st.replays(len(st.log) / 2)
	}
	for kind := range flow {
		if !seen[kind] {
			t.Errorf("no %s happened", kind)
		}
	}
}
