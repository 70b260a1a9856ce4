package bot

import (
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"pgregory.net/rapid"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// maxMessage bounds the text of one message, in bytes: 32 findings with their
// output are the most there is.
const maxMessage = 64 << 10

// TestRoomIsAlwaysFit: for any incident whatsoever, whatever its alerts say,
// the room is made without a panic, every message has its own key and a
// bounded size, every button fits every platform, and no string holds what a
// terminal, a browser or a chat would act upon.
func TestRoomIsAlwaysFit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := drawIncident(t)
		events := rapid.SliceOfN(rapid.Custom(drawEvent), 0, 40).Draw(t, "events")
		for i := range events {
			events[i].Seq = int64(i + 1)
		}
		now := someDay.Add(time.Duration(rapid.Int64Range(-1e18, 1e18).Draw(t, "now")))
		for _, lang := range phrases.Languages {
			seen := map[string]bool{}
			for _, m := range Room(s, events, lang, now, Links{Base: "https://hikeshi.example.com"}) {
				if seen[m.Key] || m.Key == "" {
					t.Fatalf("key %q comes twice", m.Key)
				}
				seen[m.Key] = true
				size := 0
				eachString(reflect.ValueOf(m), func(text string) { size += len(text); checkText(t, m.Key, text) })
				if size > maxMessage {
					t.Fatalf("%s has %d bytes", m.Key, size)
				}
				checkButtons(t, s.ID, &m)
			}
		}
	})
}

func checkText(t *rapid.T, key, text string) {
	if Clean(text) != text {
		t.Fatalf("%s holds text that was not cleaned: %q", key, text)
	}
	for _, r := range text {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			t.Fatalf("%s holds %U: %q", key, r, text)
		}
	}
}

func checkButtons(t *rapid.T, id incidents.ID, m *Message) {
	buttons := m.Buttons
	for _, it := range m.Items {
		buttons = append(buttons, it.Buttons...)
	}
	for _, b := range buttons {
		p, ok := decodePress(b.ID)
		if !ok || p.incident != id || len(b.ID) > MaxButtonID || b.Label == "" {
			t.Fatalf("%s has the button %+v", m.Key, b)
		}
	}
}

// eachString visits every string of a value.
func eachString(v reflect.Value, see func(string)) {
	switch v.Kind() {
	case reflect.String:
		see(v.String())
	case reflect.Slice:
		for i := range v.Len() {
			eachString(v.Index(i), see)
		}
	case reflect.Struct:
		if _, is := v.Interface().(time.Time); is {
			return
		}
		for i := range v.NumField() {
			eachString(v.Field(i), see)
		}
	}
}

// nasty is text as an attacker, or a broken program, would send it. Tests that
// run side by side share it, and a generator's name is made at its first use,
// which is not safe: so it is made here.
var nasty = named(rapid.OneOf(
	rapid.String(),
	rapid.SampledFrom([]string{
		"", "\x1b[31m", "\x1b]0;", "\u202e\u2066", "<script>alert(1)</script>", "<!channel>", "@everyone", "```", "{by}", "{{.}}",
		"\xff\xfe\x00", strings.Repeat("日本", 3000), strings.Repeat("`", 5000), "https://evil.example.com/", "\n\n\n", "a\rb",
	}),
))

func named(g *rapid.Generator[string]) *rapid.Generator[string] {
	_ = g.String()
	return g
}

func drawText(t *rapid.T, label string) incidents.Text {
	return incidents.Text{EN: nasty.Draw(t, label), JA: nasty.Draw(t, label)}
}

func drawTime(t *rapid.T, label string) time.Time {
	if rapid.IntRange(0, 3).Draw(t, label+" unset") == 0 {
		return time.Time{}
	}
	return someDay.Add(time.Duration(rapid.Int64Range(-1e17, 1e17).Draw(t, label)))
}

func drawActor(t *rapid.T) incidents.Actor {
	return rapid.SampledFrom([]incidents.Actor{incidents.Bot, bea, {ID: nasty.Draw(t, "id"), Name: nasty.Draw(t, "name")}, incidents.SourceActor("x"), {}}).Draw(t, "actor")
}

func drawMark(t *rapid.T) *incidents.Mark {
	if rapid.Bool().Draw(t, "no mark") {
		return nil
	}
	return &incidents.Mark{At: drawTime(t, "mark"), By: drawActor(t), Because: drawReason(t)}
}

func drawReason(t *rapid.T) incidents.Reason {
	phrase := rapid.SampledFrom([]string{"", "because.rule", "because.quiet", "because.stable", nasty.Draw(t, "phrase")}).Draw(t, "reason")
	if phrase != "" && !phrases.Has(phrase) {
		phrase = "because.rule" // phrases come from our own code
	}
	return incidents.Because(phrase, "rule", nasty.Draw(t, "rule"), "labels", nasty.Draw(t, "labels"), "for", nasty.Draw(t, "for"))
}

func drawPlan(t *rapid.T) incidents.Plan {
	steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) incidents.Step {
		return incidents.Step{
			ID: nasty.Draw(t, "step"), Title: drawText(t, "step title"), Argv: rapid.SliceOfN(nasty, 0, 4).Draw(t, "argv"),
			URL: nasty.Draw(t, "url"), Query: nasty.Draw(t, "query"),
		}
	}), 0, 20)
	return incidents.Plan{
		Runbook: nasty.Draw(t, "runbook"), Title: drawText(t, "plan title"), Risk: incidents.Risk(nasty.Draw(t, "risk")),
		Recover: steps.Draw(t, "recover"), Verify: incidents.Verify{Steps: steps.Draw(t, "verify"), Stable: time.Second, Within: time.Minute},
		Digest: rapid.StringMatching(`[0-9a-f]{64}`).Draw(t, "digest"),
	}
}

func drawResults(t *rapid.T) []incidents.StepResult {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) incidents.StepResult {
		return incidents.StepResult{Step: nasty.Draw(t, "step"), OK: rapid.Bool().Draw(t, "ok"), Value: nasty.Draw(t, "value"), Output: nasty.Draw(t, "output"), Error: nasty.Draw(t, "error")}
	}), 0, 15).Draw(t, "results")
}

func drawIncident(t *rapid.T) *incidents.Incident {
	s := &incidents.Incident{
		ID: incidents.ID(rapid.Int64Range(1, 1<<40).Draw(t, "id")), Version: 1, Released: true,
		Title: nasty.Draw(t, "title"), Description: nasty.Draw(t, "description"), Service: nasty.Draw(t, "service"), Because: drawReason(t),
		Rule:     incidents.RuleRef{Name: nasty.Draw(t, "rule"), Reopen: time.Minute, Quiet: time.Minute},
		OpenedAt: drawTime(t, "opened"), CreatedAt: drawTime(t, "created"), DiagnosedAt: drawTime(t, "diagnosed"), RankedAt: drawTime(t, "ranked"),
		Untracked: rapid.IntRange(0, 2).Draw(t, "untracked"), Truncated: rapid.IntRange(0, 2).Draw(t, "truncated"),
		Commander: drawMark(t), Resolved: drawMark(t), Reopened: drawMark(t), Closed: drawMark(t), NoAction: drawReason(t),
		AlertSeverity: incidents.Severity(rapid.IntRange(0, 5).Draw(t, "severity")),
		Failed:        rapid.MapOfN(nasty, nasty, 0, 8).Draw(t, "failed"),
	}
	for range rapid.IntRange(0, 12).Draw(t, "responders") {
		if m := drawMark(t); m != nil {
			s.Responders, s.Acks = append(s.Responders, *m), append(s.Acks, *m)
		}
	}
	for range rapid.IntRange(0, incidents.MaxFindings).Draw(t, "findings") {
		s.Findings = append(s.Findings, incidents.Finding{
			Check: nasty.Draw(t, "check"), Title: drawText(t, "check title"), OK: rapid.Bool().Draw(t, "ok"),
			Error: nasty.Draw(t, "error"), Value: nasty.Draw(t, "value"), Detail: nasty.Draw(t, "detail"),
		})
	}
	for i := range rapid.IntRange(0, 8).Draw(t, "suggestions") {
		p := drawPlan(t)
		s.Suggestions = append(s.Suggestions, incidents.Suggestion{Rank: i + 1, Action: p.Runbook, Title: p.Title, Plan: p})
	}
	states := []incidents.RunState{"", incidents.RunApproved, incidents.RunRunning, incidents.RunVerifying, incidents.RunVerified, incidents.RunNotVerified, incidents.RunFailed, incidents.RunUnknown}
	for i := range rapid.IntRange(0, 3).Draw(t, "runs") {
		n := string(rune('1' + i))
		p := drawPlan(t)
		s.Approvals = append(s.Approvals, incidents.Approval{
			ID: n, Plan: p, Asked: incidents.Mark{By: drawActor(t)}, Decided: drawMark(t),
			State: rapid.SampledFrom([]incidents.ApprovalState{incidents.ApprovalPending, incidents.ApprovalGiven, incidents.ApprovalDenied, incidents.ApprovalExpired}).Draw(t, "state"),
		})
		s.Runs = append(s.Runs, incidents.Run{
			ID: s.ID.String() + "/" + n, Approval: n, Plan: p, State: rapid.SampledFrom(states).Draw(t, "run state"), Because: drawReason(t),
			Before: drawResults(t), Steps: drawResults(t), After: drawResults(t), WellSince: drawTime(t, "well"), Deadline: drawTime(t, "deadline"),
		})
	}
	alerts := []incidents.Alert{{
		Labels: incidents.LabelsFromMap(map[string]string{"alertname": nasty.Draw(t, "alertname")}), GeneratorURL: nasty.Draw(t, "generator"),
		Annotations: incidents.LabelsFromMap(map[string]string{"runbook_url": nasty.Draw(t, "runbook_url")}), StartsAt: someDay,
	}}
	s.Samples = alerts
	return s
}

func drawEvent(t *rapid.T) incidents.Event {
	kinds := []incidents.EventKind{
		incidents.EventOpened, incidents.EventAlerts, incidents.EventSeverity, incidents.EventAcked, incidents.EventLead, incidents.EventAssigned,
		incidents.EventNoted, incidents.EventReminded, incidents.EventVoted, incidents.EventEscalated, incidents.EventResolved, incidents.EventReopened,
		incidents.EventClosed, incidents.EventGaveUp, incidents.EventRanked, incidents.EventDiagnosed,
	}
	e := incidents.Event{
		Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), At: drawTime(t, "at"), Written: drawTime(t, "written"), By: drawActor(t), Target: drawActor(t),
		Because: drawReason(t), Text: nasty.Draw(t, "text"), Action: nasty.Draw(t, "action"), Value: rapid.IntRange(-1, 1).Draw(t, "value"), Effect: nasty.Draw(t, "effect"),
	}
	if e.Kind == incidents.EventAlerts {
		e.Alerts = &incidents.News{Firing: rapid.IntRange(0, 3).Draw(t, "firing"), Cleared: rapid.IntRange(0, 3).Draw(t, "cleared")}
	}
	if e.Kind == incidents.EventRanked {
		e.Moved = []incidents.RankMove{{Action: e.Action, Title: drawText(t, "moved"), Before: rapid.IntRange(0, 3).Draw(t, "before"), After: rapid.IntRange(0, 3).Draw(t, "after")}}
	}
	return e
}

// What fires again after a resolution is told in red, and in the ticket; what alerts say
// as they end is told with it.
func TestARelapseIsToldAsOne(t *testing.T) {
	t.Parallel()
	a := opened(t)
	first := a.s.Version
	events := []incidents.Event{
		{Kind: incidents.EventAlerts, Alerts: &incidents.News{Cleared: 1}, Text: "as usual again"},
		{Kind: incidents.EventAlerts, Alerts: &incidents.News{Cleared: 1}, Text: "nobody watches it"},
		{Kind: incidents.EventResolved},
		{Kind: incidents.EventAlerts, Alerts: &incidents.News{Firing: 1, Back: 1, Reopens: true}},
	}
	for i := range events {
		events[i].Seq, events[i].At = first+int64(i)+1, a.now.Add(time.Duration(i)*time.Second)
	}
	var lines []Message
	for _, m := range Room(a.s, events, "en", a.now, Links{}) {
		if m.Kind == KindLine {
			lines = append(lines, m)
		}
	}
	if n := len(lines); n != 3 || lines[0].Text != "as usual again\nnobody watches it" || lines[0].Title != "2 alerts cleared" ||
		lines[2].Title != "Reopened: 1 alert fires again" || lines[2].Tone != ToneBad {
		t.Errorf("%+v", lines)
	}
	comments := TicketOf(a.s, events, "jira", "en", a.now, Links{}).Comments
	if n := len(comments); n != 2 || comments[1].Text != "Reopened: 1 alert fires again" {
		t.Errorf("%+v", comments)
	}
}

// TestRoomTellsWhatIsLeftOut: what is not followed, not sent or not done is said.
func TestRoomTellsWhatIsLeftOut(t *testing.T) {
	t.Parallel()
	a := opened(t)
	a.s.Untracked, a.s.Truncated = 7, 1
	a.s.Failed = map[string]string{"42/room/slack": "channel_not_found", "42/run/INC-42/1": "disk full", "odd": "?"}
	card := Room(a.s, nil, "en", a.now, Links{})[0]
	for _, want := range []string{
		"7 more alerts are counted but not followed one by one", "1 alert", "The room in slack could not be brought up to date: channel_not_found",
		"Run INC-42/1 could not be carried out: disk full", "odd was given up: ?", "9 firing · 0 cleared",
	} {
		found := false
		for _, f := range card.Fields {
			found = found || strings.Contains(f.Value, want)
		}
		if !found {
			t.Errorf("the card does not say %q", want)
		}
	}
}

// TestRoomDoesNotAge: apart from a verification, the hour changes nothing.
func TestRoomDoesNotAge(t *testing.T) {
	t.Parallel()
	for name, a := range map[string]*tale{"opened": opened(t), "voted": voted(t), "running": running(t), "resolved": resolved(t), "failed": failed(t)} {
		for _, lang := range phrases.Languages {
			now := Room(a.s, a.events, lang, a.now, Links{})
			later := Room(a.s, a.events, lang, a.now.Add(5*time.Hour), Links{})
			if !reflect.DeepEqual(now, later) {
				t.Errorf("%s in %s changes by itself", name, lang)
			}
		}
	}
}

func TestAStormIsOneLine(t *testing.T) {
	t.Parallel()
	a := opened(t)
	for i := range 12 {
		alerts := []incidents.Alert{alert("db-"+string(rune('a'+i)), time.Time{})}
		a.do(time.Second, incidents.Receive{Source: "alertmanager", Alerts: alerts, Keys: keysOf(alerts)})
	}
	a.do(time.Second, incidents.Note{By: bea, Text: "a storm"})
	cleared := []incidents.Alert{alert("web-1", a.now)}
	a.do(time.Second, incidents.Receive{Source: "alertmanager", Alerts: cleared, Keys: keysOf(cleared)})
	var got []string
	for _, m := range Room(a.s, a.events, "en", a.now, Links{}) {
		if m.Kind == KindLine {
			got = append(got, m.Key+" "+m.Title)
		}
	}
	want := "ev-13 12 more alerts began to fire|ev-14 bea noted|ev-15 1 alert cleared"
	if strings.Join(got, "|") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestExactlyWhatRuns: hidden characters of an argument are written out, never
// dropped: what is approved must be what is seen.
func TestExactlyWhatRuns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		step incidents.Step
		want string
	}{
		{incidents.Step{Argv: []string{"systemctl", "restart", "web"}}, "systemctl restart web"},
		{incidents.Step{Argv: []string{"echo", "a b", ""}}, "echo 'a b' ''"},
		{incidents.Step{Argv: []string{"rm", "a\u202eb"}}, `rm "a\u202eb"`},
		{incidents.Step{Argv: []string{"rm", "a\nb"}}, `rm "a\nb"`},
		{incidents.Step{Argv: []string{"rm", "\xff"}}, `rm "\xff"`},
		{incidents.Step{Method: "POST", URL: "http://shop/restart?x=1"}, "POST http://shop/restart?x=1"},
		{incidents.Step{URL: "http://shop/\u200b"}, `GET "http://shop/\u200b"`},
		{incidents.Step{Query: `up{job="web"}`}, `up{job="web"}`},
	} {
		if got := StepText(&c.step); got != c.want {
			t.Errorf("%+v shows %q, want %q", c.step, got, c.want)
		}
	}
}

// TestASeverityThatIsAssumedSaysSo: nobody takes SEV3 for the sender's word
// where the sender said something that is no severity.
func TestASeverityThatIsAssumedSaysSo(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{"catastrophic": "SEV3, assumed: its alerts say “catastrophic”, which is no severity we know", "critical": "SEV1", "": "SEV3"} {
		s := &incidents.Incident{}
		a := incidents.Alert{Labels: incidents.LabelsFromMap(map[string]string{"alertname": "A", "severity": word}), StartsAt: someDay}
		if _, _, err := incidents.Advance(s, incidents.Open{ID: 1, Alerts: []incidents.Alert{a}, Keys: []incidents.Key{a.Fingerprint()}}, someDay, incidents.Policy{}); err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, f := range Card(s, "en", someDay, Links{}).Fields {
			if f.Name == "Severity" {
				got = f.Value
			}
		}
		if got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}
