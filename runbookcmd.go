package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/alertmanager"
	"github.com/hikeshi-ops/hikeshi/integrations/generic"
	"github.com/hikeshi-ops/hikeshi/integrations/intake"
	"github.com/hikeshi-ops/hikeshi/runbooks"
)

// maxPaths is more than a command line has room for.
const maxPaths = 1 << 30

// runbookCommand is "hikeshi runbook VERB …". None of them runs anything.
func runbookCommand(ctx context.Context, args []string, std streams) int {
	verbs := map[string]func([]string, streams) int{"lint": runbookLint, "show": runbookShow, "plan": runbookPlan, "test": runbookTest,
		"draft": func(args []string, std streams) int { return runbookDraft(ctx, args, std) }}
	if len(args) == 0 || verbs[args[0]] == nil {
		fmt.Fprintln(std.err, phrases.T(language(), "cli.usage_runbook"))
		return exitUsage
	}
	return verbs[args[0]](args[1:], std)
}

// runbookFlags reads flags and words in any order.
func runbookFlags(verb string, args []string, std streams, define func(*flag.FlagSet)) (words []string, code int, done bool) {
	fs := newFlags("runbook "+verb, std)
	usage := func() { fmt.Fprintln(std.err, phrases.T(language(), "cli.usage_runbook")) }
	fs.Usage = usage
	if define != nil {
		define(fs)
	}
	for {
		if code, done = parse(fs, args, maxPaths); done {
			return nil, code, true
		}
		if fs.NArg() == 0 {
			break
		}
		words, args = append(words, fs.Arg(0)), fs.Args()[1:]
	}
	if len(words) == 0 {
		usage()
		return nil, exitUsage, true
	}
	return words, exitOK, false
}

func runbookLint(args []string, std streams) int {
	lang, configFile := language(), ""
	words, code, done := runbookFlags("lint", args, std, func(fs *flag.FlagSet) {
		fs.StringVar(&configFile, "config", "", phrases.T(lang, "cli.flag.config"))
	})
	if done {
		return code
	}
	c, err := config.Load(configFile, os.Getenv)
	if err != nil {
		complain(std.err, err)
		return exitInvalid
	}
	var customers []string // nil: without a configuration it is not known who there is
	if configFile != "" {
		customers = []string{}
	}
	for i := range c.Customers {
		customers = append(customers, c.Customers[i].Name)
	}
	problems := runbooks.Lint(words, nil, customers...)
	for _, p := range problems {
		fmt.Fprintln(std.out, p.Text(lang, phrases.Fill))
	}
	if len(runbooks.Errors(problems)) > 0 {
		return exitInvalid
	}
	fmt.Fprintln(std.out, phrases.T(lang, "cli.lint_ok"))
	return exitOK
}

// readRunbook reads one file; what is wrong with it is printed.
func readRunbook(name string, vars map[string]string, std streams) (*runbooks.Runbook, int) {
	content, err := os.ReadFile(name)
	if err != nil {
		complain(std.err, err)
		return nil, exitInvalid
	}
	rb, problems := runbooks.ParseWith(name, content, vars)
	for _, p := range runbooks.Errors(problems) {
		fmt.Fprintln(std.err, p.Text(language(), phrases.Fill))
	}
	if rb == nil {
		return nil, exitInvalid
	}
	return rb, exitOK
}

// runbookShow prints the sheet (手順書) in both languages, the reader's first.
func runbookShow(args []string, std streams) int {
	words, code, done := runbookFlags("show", args, std, nil)
	if done {
		return code
	}
	for _, name := range words {
		rb, code := readRunbook(name, nil, std)
		if rb == nil {
			return code
		}
		first, second := phrases.English, phrases.Japanese
		if language() == second {
			first, second = second, first
		}
		fmt.Fprintln(std.out, runbooks.Sheet(rb, first, phrases.Fill))
		fmt.Fprintln(std.out, runbooks.Sheet(rb, second, phrases.Fill))
	}
	return exitOK
}

// pairs is a flag of the form name=value that may come several times.
type pairs map[string]string

func (p pairs) String() string { return "" }

// Set takes one more pair.
func (p pairs) Set(s string) error {
	name, value, ok := strings.Cut(s, "=")
	if !ok {
		return fmt.Errorf("%q is not of the form name=value", s)
	}
	p[name] = value
	return nil
}

// runbookPlan prints exactly what would be run for an alert.
func runbookPlan(args []string, std streams) int {
	lang := language()
	var alert, configFile string
	params, states := pairs{}, pairs{}
	words, code, done := runbookFlags("plan", args, std, func(fs *flag.FlagSet) {
		fs.StringVar(&alert, "alert", "", phrases.T(lang, "cli.flag.alert"))
		fs.StringVar(&configFile, "config", "", phrases.T(lang, "cli.flag.config"))
		fs.Var(params, "param", phrases.T(lang, "cli.flag.param"))
		fs.Var(states, "found", phrases.T(lang, "cli.flag.found"))
	})
	if done {
		return code
	}
	c, err := config.Load(configFile, os.Getenv)
	if err != nil {
		complain(std.err, err)
		return exitInvalid
	}
	rb, code := readRunbook(words[0], c.Runbooks.Vars, std)
	if rb == nil {
		return code
	}
	labels, err := alertLabels(alert)
	if err != nil {
		complain(std.err, err)
		return exitInvalid
	}
	s := rb.Imagine(labels)
	if err := runbooks.Suppose(s, rb.ID, states); err != nil {
		complain(std.err, err)
		return exitUsage
	}
	if !rb.Fit(s) {
		complain(std.err, noFit(rb, words[0], alert, labels))
		return exitFailed
	}
	plan, err := rb.Plan(s, params)
	if err != nil {
		if e, ok := errors.AsType[*incidents.Error](err); ok && len(rb.Branches) > 0 && len(states) == 0 {
			e.Hint = "hikeshi runbook plan " + words[0] + " --found " + rb.Check[0].ID + "=down …" // not: ask the bot
		}
		complain(std.err, err)
		return exitFailed
	}
	fmt.Fprint(std.out, runbooks.PlanSheet(plan, lang, phrases.Fill))
	return exitOK
}

// noFit says what a runbook fits, and what it was asked for.
func noFit(rb *runbooks.Runbook, file, alert string, labels incidents.Labels) error {
	var fits []string
	for _, m := range rb.Fits {
		fits = append(fits, m.String())
	}
	e := incidents.Fail(incidents.Invalid, "error.plan_no_fit", "runbook "+rb.ID+" does not fit", "runbook", rb.ID, "labels", labels.String(), "fits", strings.Join(fits, " "))
	switch {
	case len(fits) == 0: // but what people declare in words, which a file cannot say
		e.Phrase = "error.plan_no_words"
	case alert == "":
		e.Phrase = "error.plan_no_alert"
	}
	if len(fits) == 0 {
		return e.WithHint("hikeshi runbook show " + file)
	}
	return e.WithHint("hikeshi runbook plan " + file + " --alert ALERT.json")
}

// alertLabels are the labels that all alerts of the file share. The file is what
// a sender would post, to Hikeshi's own way in or Alertmanager's webhook.
func alertLabels(name string) (incidents.Labels, error) {
	if name == "" {
		return nil, nil
	}
	body, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read the alert: %w", err)
	}
	now, limits := time.Now(), intake.DefaultLimits()
	batch, _, err := alertmanager.DecodeWebhook(body, "alertmanager", now, limits)
	if err != nil {
		batch, _, err = generic.Decode(body, "generic", now, limits)
	}
	if err != nil {
		return nil, fmt.Errorf("%s is not an alert: %w", name, err)
	}
	if len(batch.Alerts) == 0 {
		return nil, fmt.Errorf("%s has no alert", name)
	}
	shared := map[string]string{}
	for _, l := range batch.Alerts[0].Labels {
		shared[l.Name] = l.Value
	}
	for i := range batch.Alerts {
		for name, value := range shared {
			if batch.Alerts[i].Labels.Get(name) != value {
				delete(shared, name)
			}
		}
	}
	return incidents.LabelsFromMap(shared), nil
}

// runbookTest carries out the tests of directories of runbooks.
func runbookTest(args []string, std streams) int {
	words, code, done := runbookFlags("test", args, std, nil)
	if done {
		return code
	}
	lang, count := language(), 0
	code = exitOK
	for _, dir := range words {
		results, err := runbooks.Rehearse(dir)
		if err != nil {
			complain(std.err, err)
			return exitInvalid
		}
		for _, r := range results {
			count++
			verdict := "cli.test_ok"
			if len(r.Wrong) > 0 {
				verdict, code = "cli.test_failed", exitFailed
			}
			fmt.Fprintln(std.out, phrases.T(lang, verdict, "file", r.File, "case", r.Case))
			for _, wrong := range r.Wrong {
				fmt.Fprintln(std.out, "    "+wrong)
			}
		}
	}
	if count == 0 {
		fmt.Fprintln(std.err, phrases.T(lang, "cli.test_none", "suffix", runbooks.TestSuffix))
		return exitFailed
	}
	return code
}
