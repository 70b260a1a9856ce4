package runbooks

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

const paramBook = `id: scale
title: {en: Scale, ja: スケール}
fits: ['service="web"']
risk: low
params:
  host: {type: host, from: label.instance}
  count: {type: int, min: 1, max: 9, default: 2}
  unit: {type: enum, values: [web, worker]}
check:
  - {id: ping, title: {en: It answers, ja: 応答する}, command: {argv: [ping, -c1, '{host}']}}
recover:
  - {id: scale, command: {argv: [scale, '--unit={unit}', '{count}', '{host}:{host}'], expect: {exit: [0, 3], contains: "it's \"done\""}}, timeout: 90s}
verify: {same_as: check, stable: 5s, within: 1m, alerts: ignore}
escalate: {en: Call., ja: 連絡。}
`

func TestPlanResolvesEverything(t *testing.T) {
	t.Parallel()
	rb := load(t, nil, paramBook).Get("scale")
	s := incident("service", "web", "instance", "web-1:9100")
	plan, err := rb.Plan(s, map[string]string{"unit": "worker"})
	if err != nil {
		t.Fatal(err)
	}
	if !plan.Sealed() || plan.Runbook != "scale" || plan.RunbookDigest != rb.Digest || plan.Incident != 42 || plan.Risk != incidents.RiskLow {
		t.Errorf("%+v", plan)
	}
	step := plan.Recover[0]
	if got := strings.Join(step.Argv, "|"); got != "scale|--unit=worker|2|web-1:web-1" {
		t.Errorf("argv %q", got)
	}
	if step.Expect != `code 0,3 and contains "it's \"done\""` || step.Timeout.String() != "1m30s" || step.Title.JA != "scale --unit=worker 2 web-1:web-1" {
		t.Errorf("%+v", step)
	}
	if _, err := steps.ParseExpect(step.Expect); err != nil {
		t.Error(err)
	}
	if !plan.Verify.NoAlerts || plan.Verify.Steps[0].Argv[2] != "web-1" || plan.Params["count"] != "2" {
		t.Errorf("%+v", plan.Verify)
	}
	// a plan survives being stored, and any change to it shows
	b, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	var stored incidents.Plan
	if err := json.Unmarshal(b, &stored); err != nil || !stored.Sealed() {
		t.Errorf("not the same after storing: %v", err)
	}
	stored.Recover[0].Argv[1] = "--unit=web"
	if stored.Sealed() {
		t.Error("a changed plan is still sealed")
	}
	other, err := rb.Plan(s, map[string]string{"unit": "web"})
	if err != nil || other.Digest == plan.Digest {
		t.Errorf("other parameters, the same digest: %v", err)
	}
}

func TestPlanRefuses(t *testing.T) {
	t.Parallel()
	rb := load(t, nil, paramBook).Get("scale")
	for name, c := range map[string]struct {
		instance string
		given    map[string]string
		phrase   string
	}{
		"missing":          {"web-1", nil, "runbook.param_missing"},
		"unknown":          {"web-1", map[string]string{"unit": "web", "sudo": "yes"}, "runbook.param_unknown"},
		"not in the enum":  {"web-1", map[string]string{"unit": "db"}, "runbook.param_refused"},
		"empty":            {"web-1", map[string]string{"unit": ""}, "runbook.param_refused"},
		"label not a host": {"web-1;reboot", map[string]string{"unit": "web"}, "runbook.param_refused"},
		"label an option":  {"-oProxyCommand=x", map[string]string{"unit": "web"}, "runbook.param_refused"},
		"no label":         {"", map[string]string{"unit": "web"}, "runbook.param_missing"},
		"too many":         {"web-1", map[string]string{"unit": "web", "count": "10"}, "runbook.param_refused"},
		"not plain":        {"web-1", map[string]string{"unit": "web", "count": "2 "}, "runbook.param_refused"},
	} {
		_, err := rb.Plan(incident("service", "web", "instance", c.instance), c.given)
		e, ok := err.(*incidents.Error) //nolint:errorlint // Plan's own
		if !ok || e.Phrase != c.phrase || e.Code != incidents.Invalid || e.Hint != "/inc run scale host=… count=… unit=…" {
			t.Errorf("%s: %v", name, err)
		}
	}
	look := load(t, nil, "id: look\ntitle: {en: a, ja: b}\nfits: any\ncheck: [{command: {argv: [true]}}]\n").Get("look")
	if _, err := look.Plan(incident(), nil); incidents.CodeOf(err) != incidents.Invalid {
		t.Errorf("a diagnostic was planned: %v", err)
	}
}

func TestFit(t *testing.T) {
	t.Parallel()
	l := load(t, nil, paramBook,
		strings.Replace(withLine(t, "fits:", "fits: ['service=~\"web|api\"', 'severity!=\"info\"']\nwords: [Checkout, レジ]"), "restart-web", "wide", 1),
		"id: look\ntitle: {en: a, ja: b}\nfits: any\ncheck: [{command: {argv: [true]}}]\n")
	declared := incident()
	declared.Declared, declared.Title = &incidents.Mark{}, "the CHECKOUT is slow"
	declaredJA := incident()
	declaredJA.Declared, declaredJA.Description = &incidents.Mark{}, "レジが遅い"
	alerted := incident()
	alerted.Title = "checkout"
	for name, c := range map[string]struct {
		s    *incidents.Incident
		want string
	}{
		"label":               {incident("service", "web"), "scale wide"},
		"other label":         {incident("service", "api"), "wide"},
		"refused label":       {incident("service", "api", "severity", "info"), ""},
		"no label":            {incident(), ""},
		"part of a label":     {incident("service", "webs"), ""},
		"declared with words": {declared, "wide"},
		"in Japanese":         {declaredJA, "wide"},
		"an alert's words":    {alerted, ""}, // prose from outside decides nothing
	} {
		var got []string
		for _, cand := range l.Fitting(c.s) {
			got = append(got, cand.Runbook.ID)
			if cand.Runbook.ID == "scale" && (incidents.CodeOf(cand.Err) != incidents.Invalid || cand.Plan.Digest != "") {
				t.Errorf("%s: %+v", name, cand)
			}
			if cand.Runbook.ID == "wide" && (cand.Err != nil || !cand.Plan.Sealed()) {
				t.Errorf("%s: %+v", name, cand)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	for want, argv := range map[string][]string{
		"systemctl restart web.service": {"systemctl", "restart", "web.service"},
		"echo '' 'a b' 'it'\\''s' '$x'": {"echo", "", "a b", "it's", "$x"},
		"kill '-9\n1'":                  {"kill", "-9\n1"},
	} {
		if got := CommandLine(argv); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
