package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/learning/replay"
)

// learnCommand is "hikeshi learn VERB …".
func learnCommand(ctx context.Context, args []string, std streams) int {
	verbs := map[string]func(context.Context, []string, streams) int{"replay": learnReplay, "export": learnExport, "report": learnReport,
		"import": learnImport, "undo": learnUndo, "reset": learnReset}
	if len(args) > 0 && verbs[args[0]] != nil {
		return verbs[args[0]](ctx, args[1:], std)
	}
	fmt.Fprintln(std.err, phrases.T(language(), "cli.usage_learn"))
	if len(args) > 0 && (args[0] == "-h" || args[0] == "--help" || args[0] == "help") {
		return exitOK
	}
	return exitUsage
}

// replayFlags are the flags of learn replay.
type replayFlags struct {
	regime, action string
	from           int
	seed           uint64
	flips          float64
	grow, json     bool
}

// learnReplay judges ways of ranking by a recorded log.
func learnReplay(ctx context.Context, args []string, std streams) int {
	lang := language()
	f := replayFlags{}
	fs := newFlags("learn replay", std)
	fs.Usage = func() { fmt.Fprintln(std.err, phrases.T(lang, "cli.usage_replay")); fs.PrintDefaults() }
	fs.StringVar(&f.regime, "regime", string(replay.CombN), phrases.T(lang, "cli.flag.regime"))
	fs.StringVar(&f.action, "action", "action", phrases.T(lang, "cli.flag.action"))
	fs.IntVar(&f.from, "score-from", 0, phrases.T(lang, "cli.flag.score_from"))
	fs.Uint64Var(&f.seed, "seed", 1, phrases.T(lang, "cli.flag.seed"))
	fs.Float64Var(&f.flips, "flips", replay.DefaultNoise.Flips, phrases.T(lang, "cli.flag.flips"))
	fs.BoolVar(&f.grow, "grow", false, phrases.T(lang, "cli.flag.grow"))
	fs.BoolVar(&f.json, "json", false, phrases.T(lang, "cli.flag.json"))
	file, code, done := oneFile(fs, args)
	if done {
		return code
	}
	if file != "" && !replay.Regime(f.regime).Known() {
		complain(std.err, noRegime(f.regime))
		return exitUsage
	}
	if file == "" || f.from < 0 || f.flips < 0 || f.flips > 1 {
		fs.Usage()
		return exitUsage
	}
	o := replay.Options{
		Open:   func() (io.ReadCloser, error) { return os.Open(file) },
		Action: strings.Split(f.action, "+"), Regime: replay.Regime(f.regime), From: f.from, Seed: f.seed,
		Noise: replay.Noise{Votes: replay.DefaultNoise.Votes, Flips: f.flips}, Grow: f.grow,
	}
	scores, err := replay.Run(ctx, o, replay.Table(f.seed)...)
	if err != nil {
		complain(std.err, err)
		return exitCode(err)
	}
	if f.json {
		return f.print(std, scores)
	}
	replayTable(std.out, lang, f, scores)
	return exitOK
}

// noRegime says which regimes there are.
func noRegime(name string) error {
	var known []string
	for _, r := range replay.Regimes {
		known = append(known, string(r))
	}
	all := strings.Join(known, ", ")
	return incidents.Fail(incidents.Invalid, "error.no_regime", "there is no regime "+name+", but "+all, "name", name, "known", all).
		WithHint("hikeshi learn replay FILE --regime " + string(replay.CombN))
}

// oneFile reads flags that may stand before and after the one word.
func oneFile(fs *flag.FlagSet, args []string) (file string, code int, done bool) {
	if code, done = parse(fs, args, maxPaths); done || fs.NArg() == 0 {
		return "", code, done
	}
	file = fs.Arg(0)
	code, done = parse(fs, fs.Args()[1:], 0)
	return file, code, done
}

// measures are one part of a learner's figures, as they are printed.
type measures struct {
	N    int     `json:"n"`
	Hit1 float64 `json:"hit1"`
	Hit3 float64 `json:"hit3"`
	MRR  float64 `json:"mrr"`
}

func measured(t replay.Tally) measures { return measures{t.N, t.Hit1(), t.Hit3(), t.MRR()} }

// learnerFigures are those of one way of ranking.
type learnerFigures struct {
	Name  string   `json:"name"`
	All   measures `json:"all"`
	First measures `json:"first"` // the first tenth of what was scored
	Last  measures `json:"last"`  // the last tenth
}

// print writes the figures for programs: ours at the top, all below.
func (f *replayFlags) print(std streams, scores []replay.Score) int {
	list := make([]learnerFigures, 0, len(scores))
	for i, s := range scores {
		list = append(list, learnerFigures{replay.Names[i], measured(s.All), measured(s.First), measured(s.Last)})
	}
	out := struct {
		Regime    string `json:"regime"`
		Action    string `json:"action"`
		Seed      uint64 `json:"seed"`
		ScoreFrom int    `json:"score_from"`
		learnerFigures
		Learners []learnerFigures `json:"learners"`
	}{f.regime, f.action, f.seed, f.from, list[len(list)-1], list}
	enc := json.NewEncoder(std.out)
	enc.SetIndent("", "  ")
	if err := enc.Encode(out); err != nil {
		complain(std.err, fmt.Errorf("write the figures: %w", err))
		return exitFailed
	}
	return exitOK
}

func replayTable(out io.Writer, lang string, f replayFlags, scores []replay.Score) {
	fmt.Fprintln(out, phrases.T(lang, "cli.replay_about", "regime", f.regime, "n", fmt.Sprint(scores[0].All.N),
		"from", fmt.Sprint(f.from), "seed", fmt.Sprint(f.seed)))
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, phrases.T(lang, "cli.replay_head"))
	for i, s := range scores {
		fmt.Fprintf(w, "%s", phrases.T(lang, "cli.replay_name."+replay.Names[i]))
		for _, t := range [...]replay.Tally{s.All, s.First, s.Last} {
			fmt.Fprintf(w, "\t%.3f / %.3f / %.3f", t.Hit1(), t.Hit3(), t.MRR())
		}
		fmt.Fprintln(w)
	}
	w.Flush()
}
