package web

import (
	"context"
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// clock is a time that a test sets.
type clock struct{ at time.Time }

func (c *clock) now() time.Time        { return c.at }
func (c *clock) after(d time.Duration) { c.at = c.at.Add(d) }

var (
	bea   = incidents.Actor{ID: "console:bea", Name: "bea"}
	kenji = incidents.Actor{ID: "console:kenji", Name: "健二"}
)

func tr(en, ja string) incidents.Text { return incidents.Text{EN: en, JA: ja} }

// restartPlan is a plan like those of the demo.
func restartPlan(id incidents.ID) incidents.Plan {
	return incidents.Plan{
		Runbook: "restart-till", Title: tr("Restart the till", "レジを再起動する"), Risk: incidents.RiskLow, Incident: id,
		Recover: []incidents.Step{
			{ID: "restart", Title: tr("Restart the process", "プロセスを再起動"), Kind: "http", Method: "POST", URL: "http://127.0.0.1:7070/admin/restart?part=till", Timeout: 10 * time.Second},
		},
		Verify: incidents.Verify{
			Steps: []incidents.Step{
				{ID: "checkout", Title: tr("A checkout goes through", "決済が完了する"), Kind: "http", URL: "http://127.0.0.1:7070/checkout", Timeout: 5 * time.Second},
				{ID: "errors", Title: tr("Errors per second", "毎秒のエラー数"), Kind: "promql", Query: `rate(http_errors_total[1m])`, Timeout: 5 * time.Second},
			},
			Every: time.Second, Stable: 5 * time.Second, Within: 2 * time.Minute,
		},
		Escalate: tr("Call the payments team.", "決済チームに連絡してください。"),
	}.Seal()
}

func otherPlan(id incidents.ID, runbook string, title incidents.Text, risk incidents.Risk, argv ...string) incidents.Plan {
	p := restartPlan(id)
	p.Runbook, p.Title, p.Risk = runbook, title, risk
	p.Recover = []incidents.Step{{ID: "run", Title: title, Kind: "command", Argv: argv, Timeout: time.Minute}}
	return p.Seal()
}

func suggestions(id incidents.ID, now time.Time, swap bool) []incidents.Suggestion {
	restart := incidents.Suggestion{Rank: 1, Action: "restart-till", Title: tr("Restart the till", "レジを再起動する"), Score: 0.81, Plan: restartPlan(id),
		Evidence: incidents.Evidence{Tried: 9, Worked: 7, Up: 5, Down: 1, LastAt: now.Add(-12 * 24 * time.Hour), Median: 48 * time.Second}}
	cache := incidents.Suggestion{Rank: 2, Action: "flush-cache", Title: tr("Flush the price cache", "価格キャッシュを消去する"), Score: 0.55,
		Plan:     otherPlan(id, "flush-cache", tr("Flush the price cache", "価格キャッシュを消去する"), incidents.RiskLow, "/usr/bin/redis-cli", "-n", "3", "FLUSHDB", "ASYNC"),
		Evidence: incidents.Evidence{Tried: 4, Worked: 2, Up: 2, LastAt: now.Add(-3 * time.Hour), Median: 2 * time.Minute}}
	failover := incidents.Suggestion{Rank: 3, Action: "db-failover", Title: tr("Fail the database over", "データベースを切り替える"), Score: 0.12,
		Plan: otherPlan(id, "db-failover", tr("Fail the database over", "データベースを切り替える"), incidents.RiskHigh, "/usr/local/bin/pgctl", "promote", "--cluster", "shop main")}
	if swap {
		cache.Rank, restart.Rank = 1, 2
		return []incidents.Suggestion{cache, restart, failover}
	}
	return []incidents.Suggestion{restart, cache, failover}
}

func findings(at time.Time) []incidents.Finding {
	return []incidents.Finding{
		{Check: "shop/health", Title: tr("The shop answers", "ショップが応答する"), OK: true, Value: "HTTP 200", Elapsed: 12 * time.Millisecond, At: at},
		{Check: "shop/checkout", Title: tr("A checkout goes through", "決済が完了する"), Value: "HTTP 503", Detail: "HTTP/1.1 503 Service Unavailable\ncontent-type: application/json\n\n{\"error\":\"till: worker 3 does not answer\",\"queue\":118}", Elapsed: 2100 * time.Millisecond, At: at},
		{Check: "shop/errors", Title: tr("Errors per second", "毎秒のエラー数"), Value: "41.7 (expected below 1)", Elapsed: 31 * time.Millisecond, At: at},
		{Check: "db/replication", Title: tr("Replication lag", "レプリケーション遅延"), OK: true, Value: "0.3 s", Elapsed: 44 * time.Millisecond, At: at},
		{Check: "cache/ping", Title: tr("The price cache answers", "価格キャッシュが応答する"), Error: "no answer within 5 s", Elapsed: 5 * time.Second, At: at},
	}
}

const (
	checkoutA = "alertname=CheckoutErrors,service=checkout,severity=critical,instance=till-1"
	checkoutB = "alertname=CheckoutErrors,service=checkout,severity=critical,instance=till-2"
)

// fill makes a shop's history: incidents at every stage of their life.
func fill(t testing.TB, w *world, c *clock) {
	t.Helper()
	start := c.at
	c.at = start.Add(-26 * time.Hour)
	disk := "alertname=DiskAlmostFull,service=reports,severity=warning"
	id := w.open(t, "The disk of reports-2 is 93 % full.", c.at, disk)
	c.after(9 * time.Minute)
	w.must(t, id, incidents.Ack{By: kenji})
	c.after(22 * time.Minute)
	w.clear(t, id, c.at.Add(-31*time.Minute), disk)
	w.must(t, id, incidents.Resolve{By: kenji, Text: "removed old exports"})

	c.at = start.Add(-3 * time.Hour)
	w.open(t, "A certificate expires in 6 days.", c.at, "alertname=CertExpiresSoon,service=edge,severity=info")
	c.at = start.Add(-95 * time.Minute)
	id = w.open(t, "Search answers slowly: p99 2.4 s.", c.at, "alertname=SearchSlow,service=search,severity=warning", "alertname=SearchSlow,service=search,severity=warning,instance=b")
	w.must(t, id, incidents.Ack{By: kenji})
	w.must(t, id, incidents.Lead{By: kenji, Who: kenji})

	c.at = start.Add(-50 * time.Minute)
	solved(t, w, c)
	c.at = start.Add(-4 * time.Minute)
	verifying(t, w, c)
	c.at = start.Add(-70 * time.Second)
	asking(t, w, c)
	c.at = start.Add(-20 * time.Second)
	w.open(t, "Half of all logins fail since 14:02.", c.at, "alertname=LoginFailures,service=identity,severity=high")
	c.at = start
}

// asking is an incident in which an approval waits.
func asking(t testing.TB, w *world, c *clock) incidents.ID {
	t.Helper()
	id := w.open(t, "More than 5 % of checkouts fail.", c.at.Add(-time.Minute), checkoutA, checkoutB)
	c.after(3 * time.Second)
	w.must(t, id, incidents.Diagnosed{Findings: findings(c.at)})
	c.after(time.Second)
	w.must(t, id, incidents.Ranked{Suggestions: suggestions(id, c.at, false)})
	c.after(20 * time.Second)
	w.must(t, id, incidents.Ack{By: bea})
	w.must(t, id, incidents.Lead{By: bea, Who: bea})
	chatter(t, w, id, bea, "Looking. The till workers hang again since the 14:00 deploy.")
	c.after(10 * time.Second)
	w.must(t, id, incidents.Vote{By: kenji, Action: "flush-cache", Value: 1})
	w.must(t, id, incidents.Ranked{Suggestions: suggestions(id, c.at, false)})
	chatter(t, w, id, kenji, "キャッシュではなさそうです。再起動をお願いします。\n念のためログは保存しました。")
	c.after(5 * time.Second)
	w.must(t, id, incidents.Request{By: bea, Plan: restartPlan(id)})
	return id
}

// verifying is an incident in which a remedy ran and is being verified.
func verifying(t testing.TB, w *world, c *clock) incidents.ID {
	t.Helper()
	id := w.open(t, "Stock is not updated.", c.at, "alertname=StockStale,service=warehouse,severity=high")
	c.after(2 * time.Second)
	w.must(t, id, incidents.Diagnosed{Findings: findings(c.at)[:3]})
	w.must(t, id, incidents.Ranked{Suggestions: suggestions(id, c.at, false)})
	c.after(30 * time.Second)
	w.must(t, id, incidents.Ack{By: bea})
	s := w.must(t, id, incidents.Approve{By: bea, Action: "restart-till", Digest: restartPlan(id).Digest})
	run := s.Runs[0].ID
	w.must(t, id, incidents.StartRun{Run: run, Owner: "a"})
	c.after(3 * time.Second)
	w.must(t, id, incidents.FinishRun{Run: run, Owner: "a", Before: before(), Steps: ran()})
	c.after(time.Second)
	w.must(t, id, incidents.Looked{Run: run, After: after()[:1]})
	return id
}

// solved is the whole life: alert, diagnosis, request, run, proof, resolution, votes.
func solved(t testing.TB, w *world, c *clock) incidents.ID {
	t.Helper()
	began := c.at
	id := w.open(t, "More than 5 % of checkouts fail.", began, checkoutA)
	c.after(4 * time.Second)
	w.must(t, id, incidents.Diagnosed{Findings: findings(c.at)})
	w.must(t, id, incidents.Ranked{Suggestions: suggestions(id, c.at, true)})
	c.after(41 * time.Second)
	w.must(t, id, incidents.Ack{By: bea})
	w.must(t, id, incidents.Lead{By: bea, Who: bea})
	s := w.must(t, id, incidents.Request{By: bea, Plan: restartPlan(id)})
	chatter(t, w, id, bea, "Asking for the restart: same picture as last week.")
	c.after(12 * time.Second)
	s = w.must(t, id, incidents.Approve{By: kenji, ID: s.Approvals[0].ID, Digest: s.Approvals[0].Plan.Digest})
	run := s.Runs[0].ID
	c.after(time.Second)
	w.must(t, id, incidents.StartRun{Run: run, Owner: "a"})
	c.after(2 * time.Second)
	w.must(t, id, incidents.FinishRun{Run: run, Owner: "a", Before: before(), Steps: ran()})
	c.after(time.Second)
	w.must(t, id, incidents.Looked{Run: run, After: after()})
	w.clear(t, id, began, checkoutA)
	for range 8 {
		c.after(time.Second)
		w.must(t, id, incidents.Looked{Run: run, After: after()})
	}
	w.must(t, id, incidents.Vote{By: bea, Action: "restart-till", Value: 1})
	c.after(time.Second)
	w.must(t, id, incidents.Ranked{Suggestions: suggestions(id, c.at, false)})
	return id
}

func before() []incidents.StepResult {
	return []incidents.StepResult{
		{Step: "checkout", Title: tr("A checkout goes through", "決済が完了する"), Value: "HTTP 503", Elapsed: 2 * time.Second},
		{Step: "errors", Title: tr("Errors per second", "毎秒のエラー数"), Value: "41.7", Elapsed: 30 * time.Millisecond},
	}
}

func after() []incidents.StepResult {
	return []incidents.StepResult{
		{Step: "checkout", Title: tr("A checkout goes through", "決済が完了する"), OK: true, Value: "HTTP 200", Output: "{\"ok\":true}", Elapsed: 18 * time.Millisecond},
		{Step: "errors", Title: tr("Errors per second", "毎秒のエラー数"), OK: true, Value: "0", Elapsed: 28 * time.Millisecond},
	}
}

func ran() []incidents.StepResult {
	return []incidents.StepResult{{Step: "restart", Title: tr("Restart the process", "プロセスを再起動"), OK: true, Value: "HTTP 202", Output: "till restarted, pid 48213", Elapsed: 640 * time.Millisecond}}
}

// chatter is somebody saying something.
func chatter(t testing.TB, w *world, id incidents.ID, by incidents.Actor, text string) {
	t.Helper()
	raw, err := json.Marshal(body{Said: &said{By: by, Text: text}})
	if err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	room := roomOf(w.replay(id))
	key := nameKey("said", by.ID, strconv.Itoa(len(w.rooms[room])))
	w.mu.Unlock()
	if _, err := w.Post(context.Background(), room, key, raw, w.now()); err != nil {
		t.Fatal(err)
	}
}
