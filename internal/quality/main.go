// Command quality measures how good the suggestions and the analysis are, on
// other people's data: it replays what was recorded, in the order of time, and
// scores what Hikeshi says before it is told the answer.
//
// It promises that nothing is measured in silence: a topic whose data is absent
// says so, and what cannot be read fails the command. The figures depend on the
// data and the seed alone.
//
// Start with topics: one row and one file for each thing that is measured.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// Result is one figure, named by data set, setting and measure:
// "uci_itsm/COMBN/hit1".
type Result struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// topic is one thing that is measured. Its function finds its own folder below
// data, and answers fs.ErrNotExist where there is none.
type topic struct {
	name    string
	measure func(ctx context.Context, data fs.FS, progress io.Writer) ([]Result, error)
}

var topics = []topic{
	{"loghub", measureLoghub},
	{"nab", measureNAB},
	{"similar", measureSimilar},
	{"learning", learned},
	{"newcomer", measureNewcomer},
}

type flags struct{ data, only, out string }

func main() {
	var f flags
	flag.StringVar(&f.data, "data", "", "the folder with the data sets")
	flag.StringVar(&f.only, "only", "", "measure only the topics whose name matches this regular expression")
	flag.StringVar(&f.out, "out", "quality.jsonl", "where to write the figures, one a line")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, f, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "quality:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, f flags, out io.Writer) error {
	if f.data == "" {
		fmt.Fprintln(out, "SKIPPED: no data. The sets are not part of the project: make bench-quality DATA=/path/to/them")
		return nil
	}
	only, err := regexp.Compile(f.only)
	if err != nil {
		return fmt.Errorf("read -only: %w", err)
	}
	if info, err := os.Stat(f.data); err != nil || !info.IsDir() {
		return fmt.Errorf("the folder of data %s cannot be read", f.data)
	}
	var results []Result
	var failed []error
	for _, t := range topics {
		if !only.MatchString(t.name) {
			continue
		}
		began := time.Now()
		fmt.Fprintf(os.Stderr, "%s …\n", t.name)
		got, err := t.measure(ctx, os.DirFS(f.data), os.Stderr)
		results = append(results, got...)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			fmt.Fprintf(out, "SKIPPED: %s: %v\n", t.name, err)
		case err != nil:
			failed = append(failed, fmt.Errorf("%s: %w", t.name, err))
		default:
			fmt.Fprintf(os.Stderr, "%s: %d figures in %s\n", t.name, len(got), time.Since(began).Round(time.Second))
		}
	}
	table(out, results)
	if err := write(f.out, results); err != nil {
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// table prints one line for each setting, its measures side by side.
func table(out io.Writer, results []Result) {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	var lines []string
	cells := map[string][]string{}
	for _, r := range results {
		setting, measure := "", r.Name
		if i := strings.LastIndex(r.Name, "/"); i >= 0 {
			setting, measure = r.Name[:i], r.Name[i+1:]
		}
		if !slices.Contains(lines, setting) {
			lines = append(lines, setting)
		}
		cells[setting] = append(cells[setting], fmt.Sprintf("%s %.4g", measure, r.Value))
	}
	for _, setting := range lines {
		fmt.Fprintf(w, "%s\t%s\n", setting, strings.Join(cells[setting], "\t"))
	}
	w.Flush()
}

// write leaves the figures for other programs.
func write(name string, results []Result) error {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	for _, r := range results {
		if err := enc.Encode(r); err != nil {
			return fmt.Errorf("write %s: %w", r.Name, err)
		}
	}
	if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	return nil
}
