package runbooks

import (
	"slices"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// What an approver reads of effect and undo is the author's, in both languages, and
// that of the branch where it has its own.
func TestPlanSaysEffectAndUndo(t *testing.T) {
	t.Parallel()
	said := "effect: {en: 'The site is away for seconds.', ja: サイトが数秒間停止します。}\nundo: {en: Nothing to undo., ja: 元に戻すものはありません。}\n"
	one := load(t, nil, said+plainBook)
	plan, err := one.Get("restart-web").Plan(incident("service", "web"), nil)
	want := incidents.Text{EN: "The site is away for seconds.", JA: "サイトが数秒間停止します。"}
	if err != nil || plan.Effect != want || plan.Undo.JA != "元に戻すものはありません。" {
		t.Errorf("%v: %+v", err, plan)
	}
	if sheet := PlanSheet(plan, phrases.Japanese, phrases.Fill); !strings.Contains(sheet, plan.Effect.JA) || !strings.Contains(sheet, plan.Undo.JA) {
		t.Error(sheet)
	}
	plan.Undo.EN = "rm -rf"
	if plan.Sealed() {
		t.Error("the digest does not bind what the approver read")
	}

	branched := strings.Replace(twoServers, "    when: {apache: down, tomcat: up}\n",
		"    when: {apache: down, tomcat: up}\n    undo: {en: systemctl stop apache2, ja: systemctl stop apache2}\n", 1)
	two := load(t, map[string]string{"dir": t.TempDir()}, said+branched)
	s := incident("service", "shop")
	s.Findings = found("two-servers", "apache down", "tomcat up")
	plan, err = two.Get("two-servers").Plan(s, nil)
	if err != nil || plan.Effect != want || plan.Undo.EN != "systemctl stop apache2" {
		t.Errorf("%v: %+v", err, plan)
	}
}

func TestEffectNeedsARecovery(t *testing.T) {
	t.Parallel()
	for _, source := range []string{
		"id: a\ntitle: {en: a, ja: あ}\nfits: ['service=\"web\"']\nundo: {en: x, ja: x}\ncheck:\n  - {command: {argv: [true]}}\n",
		strings.Replace(twoServers, "    when: {apache: up, tomcat: up}\n", "    when: {apache: up, tomcat: up}\n    effect: {en: x, ja: x}\n", 1),
	} {
		_, problems := Parse("a.yaml", []byte(source), nil)
		if !slices.ContainsFunc(problems, func(p Problem) bool { return p.What.Phrase == "runbook.lint.effect_without_recover" }) {
			t.Errorf("%+v", problems)
		}
	}
}
