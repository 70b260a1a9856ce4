package bot

import (
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// A tale is an incident that lives through the real decisions of package
// incidents, with the clock in the test's hand.
type tale struct {
	t      *testing.T
	s      *incidents.Incident
	events []incidents.Event
	now    time.Time
}

var (
	bea = incidents.Actor{ID: "console:bea", Name: "bea"}
	cho = incidents.Actor{ID: "console:cho", Name: "cho"}
)

var someDay = time.Date(2026, 2, 3, 14, 3, 0, 0, time.UTC)

func newTale(t *testing.T) *tale {
	t.Helper()
	return &tale{t: t, s: &incidents.Incident{}, now: someDay}
}

// do carries out a command that must not be refused, after some time.
func (a *tale) do(after time.Duration, cmd incidents.Command) *tale {
	a.t.Helper()
	a.now = a.now.Add(after)
	events, _, err := incidents.Advance(a.s, cmd, a.now, incidents.Policy{})
	if err != nil {
		a.t.Fatalf("%T: %v", cmd, err)
	}
	a.events = append(a.events, events...)
	return a
}

func alert(instance string, resolvedAt time.Time) incidents.Alert {
	a := incidents.Alert{
		Labels: incidents.LabelsFromMap(map[string]string{
			"alertname": "HighErrorRate", "service": "checkout", "severity": "critical", "instance": instance,
		}),
		Annotations: incidents.LabelsFromMap(map[string]string{
			"summary": "5xx above 5 % for 2 min", "runbook_url": "https://wiki.example.com/checkout", "dashboard_url": "javascript:alert(1)",
		}),
		StartsAt: someDay.Add(-2 * time.Minute), GeneratorURL: "http://prometheus.example.com:9090/graph?g0.expr=up",
	}
	if !resolvedAt.IsZero() {
		a.Resolved, a.EndsAt = true, resolvedAt
	}
	return a
}

func keysOf(alerts []incidents.Alert) []incidents.Key {
	keys := make([]incidents.Key, len(alerts))
	for i := range alerts {
		keys[i] = alerts[i].Fingerprint()
	}
	return keys
}

// opened is an incident of two alerts.
func opened(t *testing.T) *tale {
	t.Helper()
	alerts := []incidents.Alert{alert("web-1", time.Time{}), alert("web-2", time.Time{})}
	rule := incidents.Rule{Name: "by-service", GroupBy: []string{"service"}, Reopen: 30 * time.Minute, Quiet: 5 * time.Minute}
	return newTale(t).do(0, incidents.Open{
		ID: 42, Shard: 1, Source: "alertmanager", Alerts: alerts, Keys: keysOf(alerts),
		Grouping: incidents.Grouping{Key: incidents.KeyOf("x"), Rule: rule, Because: incidents.Because("because.rule", "rule", "by-service", "labels", "service=checkout")},
	})
}

var restartTitle = incidents.Text{EN: "Restart the shop", JA: "ショップを再起動する"}

func planFor(id string, title incidents.Text, argv ...string) incidents.Plan {
	return incidents.Plan{
		Runbook: id, RunbookDigest: "d0", Title: title, Risk: incidents.RiskLow, Incident: 42,
		Recover: []incidents.Step{{ID: "go", Kind: "command", Argv: argv, Timeout: time.Minute}},
		Verify: incidents.Verify{
			Steps: []incidents.Step{{ID: "health", Title: incidents.Text{EN: "The shop answers", JA: "ショップが応答する"}, Kind: "http", URL: "http://shop.example.com/healthz"}},
			Every: time.Second, Stable: 5 * time.Second, Within: 10 * time.Minute,
		},
		Escalate: incidents.Text{EN: "Call the checkout team", JA: "チェックアウト担当に連絡"},
	}.Seal()
}

func restartPlan() incidents.Plan {
	return planFor("shop-restart", restartTitle, "systemctl", "restart", "shop web", "--force")
}

func flushPlan() incidents.Plan {
	return planFor("flush-cache", incidents.Text{EN: "Flush the cache", JA: "キャッシュを消去する"}, "redis-cli", "flushall")
}

func suggestion(rank int, p incidents.Plan, e incidents.Evidence) incidents.Suggestion {
	return incidents.Suggestion{Rank: rank, Action: p.Runbook, Title: p.Title, Evidence: e, Plan: p}
}

// investigated has findings and two suggestions.
func investigated(t *testing.T) *tale {
	t.Helper()
	a := opened(t)
	a.do(2*time.Second, incidents.Diagnosed{Findings: []incidents.Finding{
		{Check: "shop/dns", Title: incidents.Text{EN: "The name resolves", JA: "名前解決できる"}, OK: true, Value: "10.0.0.7", Elapsed: 3 * time.Millisecond},
		{Check: "shop/health", Title: incidents.Text{EN: "The shop answers", JA: "ショップが応答する"}, Value: "HTTP 503", Detail: "wedged\x1b[31m worker\u202e", Elapsed: 1200 * time.Millisecond},
		{Check: "shop/errors", Title: incidents.Text{EN: "Error rate below 5 %", JA: "エラー率が5 %未満"}, Error: "no answer within 5 s", Elapsed: 5 * time.Second},
	}})
	return a.do(time.Second, incidents.Ranked{Suggestions: []incidents.Suggestion{
		suggestion(1, flushPlan(), incidents.Evidence{}),
		suggestion(2, restartPlan(), incidents.Evidence{Tried: 9, Worked: 7, Up: 5, Down: 1, LastAt: someDay.Add(-12 * 24 * time.Hour), Median: 48 * time.Second}),
	}})
}

// voted is investigated, acknowledged, and the vote moved the order.
func voted(t *testing.T) *tale {
	t.Helper()
	a := investigated(t).do(20*time.Second, incidents.Ack{By: bea}).do(0, incidents.Lead{By: bea, Who: bea})
	a.do(5*time.Second, incidents.Vote{By: bea, Action: "shop-restart", Value: 1})
	return a.do(time.Second, incidents.Ranked{Suggestions: []incidents.Suggestion{
		suggestion(1, restartPlan(), incidents.Evidence{Tried: 9, Worked: 7, Up: 6, Down: 1, LastAt: someDay.Add(-12 * 24 * time.Hour), Median: 48 * time.Second}),
		suggestion(2, flushPlan(), incidents.Evidence{}),
	}})
}

// running is voted, requested by bea, approved by cho and started.
func running(t *testing.T) *tale {
	t.Helper()
	a := voted(t).do(10*time.Second, incidents.Request{By: bea, Plan: restartPlan()})
	a.do(15*time.Second, incidents.Approve{By: cho, ID: "1", Digest: restartPlan().Digest})
	return a.do(time.Second, incidents.StartRun{Run: "INC-42/1", Owner: "w1"})
}

// verifying is running, whose steps have passed, after three good looks.
func verifying(t *testing.T) *tale {
	t.Helper()
	a := running(t).do(4*time.Second, incidents.FinishRun{
		Run: "INC-42/1", Owner: "w1",
		Before: []incidents.StepResult{{Step: "health", Value: "HTTP 503"}},
		Steps:  []incidents.StepResult{{Step: "go", OK: true, Value: "exit 0", Output: "restarted\n", Elapsed: 3200 * time.Millisecond}},
	})
	cleared := []incidents.Alert{alert("web-1", a.now), alert("web-2", a.now)}
	a.do(time.Second, incidents.Receive{Source: "alertmanager", Alerts: cleared, Keys: keysOf(cleared)})
	for range 4 {
		a.do(time.Second, incidents.Looked{Run: "INC-42/1", After: []incidents.StepResult{{Step: "health", OK: true, Value: "HTTP 200"}}})
	}
	return a
}

// resolved is verified, and therefore over.
func resolved(t *testing.T) *tale {
	t.Helper()
	a := verifying(t)
	for range 2 {
		a.do(time.Second, incidents.Looked{Run: "INC-42/1", After: []incidents.StepResult{{Step: "health", OK: true, Value: "HTTP 200"}}})
	}
	if got := a.s.Status(); got != incidents.Resolved {
		t.Fatalf("the tale ends %s, want resolved", got)
	}
	return a
}

// failed did not help, and a room was given up.
func failed(t *testing.T) *tale {
	t.Helper()
	a := running(t).do(4*time.Second, incidents.FinishRun{
		Run: "INC-42/1", Owner: "w1",
		Before: []incidents.StepResult{{Step: "health", Value: "HTTP 503"}},
		Steps:  []incidents.StepResult{{Step: "go", Error: "exit 1", Output: "no such unit", Elapsed: time.Second}},
	})
	return a.do(time.Second, incidents.GiveUp{Effect: incidents.Effect{Key: "42/room/slack"}, Reason: "channel_not_found"})
}

// denied was requested by bea and denied by cho; a second request expired.
func denied(t *testing.T) *tale {
	t.Helper()
	a := voted(t).do(10*time.Second, incidents.Request{By: bea, Plan: restartPlan()})
	a.do(15*time.Second, incidents.Deny{By: cho, ID: "1", Text: "not during the sale"})
	a.do(time.Second, incidents.Request{By: bea, Plan: flushPlan()})
	return a.do(incidents.ApprovalTerm, incidents.Tick{Name: "expiry/2"})
}

// atOnce was approved with one click.
func atOnce(t *testing.T) *tale {
	t.Helper()
	return voted(t).do(10*time.Second, incidents.Approve{By: bea, Action: "shop-restart", Digest: restartPlan().Digest})
}

// notVerified ran, and the shop is as bad as before.
func notVerified(t *testing.T) *tale {
	t.Helper()
	a := running(t).do(4*time.Second, incidents.FinishRun{
		Run: "INC-42/1", Owner: "w1", Before: []incidents.StepResult{{Step: "health", Value: "HTTP 503"}},
		Steps: []incidents.StepResult{{Step: "go", OK: true, Value: "exit 0", Elapsed: time.Second}},
	})
	return a.do(10*time.Minute, incidents.Looked{Run: "INC-42/1", After: []incidents.StepResult{{Step: "health", Value: "HTTP 503"}}})
}

// unknown lost the process that ran it.
func unknown(t *testing.T) *tale {
	t.Helper()
	return running(t).do(time.Minute, incidents.LoseRun{Run: "INC-42/1"})
}

// nothingFits has no check and no action; then the alerts clear.
func nothingFits(t *testing.T) *tale {
	t.Helper()
	a := opened(t).do(time.Second, incidents.Diagnosed{})
	a.do(time.Second, incidents.Ranked{None: incidents.Because("why.none", "name", "ShopDown", "service", "shop")})
	a.do(5*time.Minute, incidents.Tick{Name: "ack", Policy: incidents.Policy{RemindAck: 5 * time.Minute}})
	cleared := []incidents.Alert{alert("web-1", a.now), alert("web-2", a.now)}
	return a.do(time.Second, incidents.Receive{Source: "alertmanager", Alerts: cleared, Keys: keysOf(cleared)})
}

func nowOf(a *tale) func() time.Time { return func() time.Time { return a.now } }
