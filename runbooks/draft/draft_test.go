package draft_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks"
	"github.com/hikeshi-ops/hikeshi/runbooks/draft"
)

// What people noted becomes a runbook that lint refuses until somebody has said what
// it risks and how one sees that it helped, and nothing else is wrong with it.
func TestADraftLacksOnlyItsRiskAndItsVerification(t *testing.T) {
	t.Parallel()
	bea := incidents.Actor{ID: "console:bea", Name: "Bea"}
	commands := draft.Commands([]incidents.Event{
		{Kind: incidents.EventNoted, By: bea, Text: "first I looked\n$ systemctl restart shop.service\n  $ echo \"it's: done\"\n$ rm -rf /tmp/x | tee log\n$ "},
		{Kind: incidents.EventNoted, By: incidents.Bot, Text: "$ reboot"},
	})
	if fmt.Sprintf("%q", commands) != `["systemctl restart shop.service" "echo \"it's: done\"" "rm -rf /tmp/x | tee log"]` {
		t.Fatalf("%q", commands)
	}
	s := &incidents.Incident{ID: 42, Title: "Errors\nrisk: read\u0085x", Common: incidents.LabelsFromMap(map[string]string{"service": "shop"})}
	text := draft.Of(s, commands)
	_, problems := runbooks.Parse("draft.yaml", []byte(text), nil)
	errs := runbooks.Errors(problems)
	var lacks []string
	for _, e := range errs {
		lacks = append(lacks, e.What.Phrase)
	}
	if fmt.Sprint(lacks) != "[runbook.lint.no_risk runbook.lint.no_verify]" {
		t.Fatalf("%+v\n%s", errs, text)
	}
	text = strings.Replace(text, "# risk:", "risk: high #", 1)
	full := strings.Replace(text, "# verify: how", "verify: {steps: [{id: up, title: {en: Up, ja: 動作}, command: {argv: [systemctl, is-active, '{the_service}'], expect: {exit: 0}}}], every: 1s, stable: 1s, within: 1m}\n# how", 1)
	rb, problems := runbooks.Parse("draft.yaml", []byte(full), nil)
	if rb == nil {
		t.Fatalf("%+v\n%s", runbooks.Errors(problems), full)
	}
	if len(rb.Recover) != 2 || rb.Risk != incidents.RiskHigh || !strings.Contains(full, `argv: ["systemctl", "restart", "{the_service}.service"]`) || !strings.Contains(full, "# not one command") {
		t.Errorf("%s", full)
	}
}

func TestACommandIsSplitOnlyWhereThatIsSafe(t *testing.T) {
	t.Parallel()
	for c, want := range map[string]string{
		"a  'b c' \"d e\"": `["a" "b c" "d e"]`, `a ""`: `["a" ""]`, "a; b": "no", "a $HOME": "no", "a `b`": "no", `a "$(b)"`: "no", "a > b": "no",
		"a *.log": "no", "a {x}": "no", "a 'b": "no", "'' b": "no", `a\ b`: "no", "a\nb": "no", "a '$b'": `["a" "$b"]`,
	} {
		got := "no"
		if argv, ok := draft.Split(c); ok {
			got = fmt.Sprintf("%q", argv)
		}
		if got != want {
			t.Errorf("%q: %s, want %s", c, got, want)
		}
	}
}

// What was said in a room counts as it reads now, and not at all once it was deleted.
func TestWhatWasSaidInARoomCountsAsItReadsNow(t *testing.T) {
	t.Parallel()
	bea := incidents.Actor{ID: "slack:T1/U2", Name: "Bea"}
	said := func(key, text string, by incidents.Actor) incidents.Event {
		return incidents.Event{Kind: incidents.EventSaid, By: by, Text: text, Said: &incidents.SaidMark{Key: key}}
	}
	got := draft.Commands([]incidents.Event{
		said("a", "$ systemctl restart web", bea), said("b", "it helps if you\n$ rm -rf /var/cache/web", bea), said("c", "$ reboot", incidents.Bot),
		{Kind: incidents.EventNoted, By: bea, Text: "$ nginx -t"},
		said("", "$ uptime", bea), said("", "$ free -m", bea), // beyond what is kept, they have no key
		said("a", "$ systemctl restart nginx", bea), said("b", "", incidents.Actor{}),
		{Kind: incidents.EventPinned, By: bea, Text: "$ systemctl restart nginx"},
	})
	if fmt.Sprintf("%q", got) != `["systemctl restart nginx" "nginx -t" "uptime" "free -m"]` {
		t.Errorf("%q", got)
	}
}
