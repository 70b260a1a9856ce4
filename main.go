// Hikeshi (火消し) listens for alerts, folds them into incidents, opens a war
// room for each, investigates, suggests the next action with its evidence,
// runs it once somebody approves, proves that it helped, and learns.
//
// This file has the subcommands; config.go what can be configured; wire.go how
// the parts are put together; demo.go the demonstration.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/config"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/internal/demo"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// Exit codes, documented in docs/cli.md.
const (
	exitOK      = 0
	exitFailed  = 1 // it was tried and did not work
	exitUsage   = 2 // the command line makes no sense
	exitInvalid = 3 // the configuration or a runbook is wrong
)

func main() {
	steps.BeGuard()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP) // a terminal that goes away is no reason to leave a remedy alone
	context.AfterFunc(ctx, stop)                                                                           // the second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

// streams are what a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// subcommand is one word after "hikeshi".
type subcommand struct {
	name   string
	run    func(ctx context.Context, args []string, std streams) int
	hidden bool
}

func subcommands() []subcommand {
	return []subcommand{
		{name: "serve", run: serve},
		{name: "demo", run: runDemo},
		{name: "check", run: check},
		{name: "runbook", run: runbookCommand},
		{name: "audit", run: auditCommand},
		{name: "learn", run: learnCommand},
		{name: "slack", run: slackCommand},
		{name: "jira", run: trackerCommand(config.KindJira)},
		{name: "backlog", run: trackerCommand(config.KindBacklog)},
		{name: "gitlab", run: trackerCommand(config.KindGitLab)},
		{name: "servicenow", run: trackerCommand(config.KindServiceNow)},
		{name: "discord", run: discordCommand},
		{name: "analyze", run: analyzeCommand},
		{name: "version", run: version},
		{name: "help", run: help},
		{name: "shop", hidden: true, run: func(ctx context.Context, args []string, std streams) int {
			return demo.RunShop(ctx, args, std.out, std.err)
		}},
		{name: "shopctl", hidden: true, run: func(ctx context.Context, args []string, std streams) int {
			return demo.RunShopctl(ctx, args, std.out, std.err)
		}},
	}
}

func run(ctx context.Context, args []string, std streams) int {
	if len(args) == 0 {
		return help(ctx, nil, std)
	}
	name := args[0]
	switch name {
	case "-h", "--help":
		name = "help"
	case "-v", "--version":
		name = "version"
	}
	for _, c := range subcommands() {
		if c.name == name {
			return c.run(ctx, args[1:], std)
		}
	}
	fmt.Fprintln(std.err, phrases.T(language(), "cli.unknown_command", "name", name))
	fmt.Fprintln(std.err, phrases.T(language(), "cli.hint", "hint", "hikeshi help"))
	return exitUsage
}

func help(_ context.Context, _ []string, std streams) int {
	lang := language()
	fmt.Fprintln(std.out, phrases.T(lang, "cli.about"))
	fmt.Fprintln(std.out)
	for _, c := range subcommands() {
		if !c.hidden {
			fmt.Fprintf(std.out, "  hikeshi %-8s  %s\n", c.name, phrases.T(lang, "cli.help."+c.name))
		}
	}
	fmt.Fprintln(std.out)
	fmt.Fprintln(std.out, phrases.T(lang, "cli.start_here"))
	return exitOK
}

func version(_ context.Context, args []string, std streams) int {
	if code, done := parse(newFlags("version", std), args, 0); done {
		return code
	}
	fmt.Fprintln(std.out, "hikeshi", buildVersion())
	return exitOK
}

// buildVersion is the module's version and commit, as the Go toolchain
// recorded them.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v, commit := info.Main.Version, ""
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			commit = s.Value[:12]
		}
	}
	if v == "" || v == "(devel)" {
		v = "devel"
	}
	if commit != "" && !strings.Contains(v, commit) {
		v += " (" + commit + ")"
	}
	return v + " " + info.GoVersion
}

// language is the terminal's.
func language() string { return phrases.Terminal(os.Getenv) }

// exitCode is that of an error at the start.
func exitCode(err error) int {
	if incidents.CodeOf(err) == incidents.Invalid {
		return exitInvalid
	}
	return exitFailed
}

// newFlags makes a flag set that writes its help to the command's streams.
func newFlags(name string, std streams) *flag.FlagSet {
	fs := flag.NewFlagSet("hikeshi "+name, flag.ContinueOnError)
	fs.SetOutput(std.err)
	fs.Usage = func() {
		fmt.Fprintln(std.err, phrases.T(language(), "cli.usage_of", "command", fs.Name()))
		fs.PrintDefaults()
	}
	return fs
}

// parse reads flags and at most the given number of words after them; done says
// that the command is over, with code.
func parse(fs *flag.FlagSet, args []string, words int) (code int, done bool) {
	hint := phrases.T(language(), "cli.hint", "hint", fs.Name()+" --help")
	switch err := fs.Parse(args); {
	case err == nil && fs.NArg() > words:
		fmt.Fprintln(fs.Output(), phrases.T(language(), "cli.unexpected", "word", fs.Arg(words)))
		fmt.Fprintln(fs.Output(), hint)
		return exitUsage, true
	case err == nil:
		return exitOK, false
	case errors.Is(err, flag.ErrHelp):
		return exitOK, true
	default:
		fmt.Fprintln(fs.Output(), hint)
		return exitUsage, true
	}
}

// complain prints an error for people: what, and what to do about it.
func complain(w io.Writer, err error) {
	lang := language()
	if e, ok := errors.AsType[*incidents.Error](err); ok {
		sentence := e.Message
		if phrases.Has(e.Phrase) {
			sentence = phrases.Fill(lang, e.Phrase, e.Args)
		}
		fmt.Fprintln(w, phrases.T(lang, "cli.error", "error", sentence))
		if e.Hint != "" {
			fmt.Fprintln(w, phrases.T(lang, "cli.hint", "hint", e.Hint))
		}
		return
	}
	fmt.Fprintln(w, phrases.T(lang, "cli.error", "error", err.Error()))
}
