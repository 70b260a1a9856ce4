package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// flags are the command line.
type flags struct {
	quick  bool
	only   string
	stores string
	binary string
	out    string
	list   bool
	keep   bool
	rounds int
	table  bool
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == floorFlag {
		fmt.Fprintln(os.Stderr, serveFloor(os.Args[2])) // it ends by a signal, or here
		os.Exit(1)
	}
	var f flags
	flag.BoolVar(&f.quick, "quick", false, "small sizes and short slices: does it work, about a minute")
	flag.StringVar(&f.only, "only", "", "run only the measurements whose name matches this regular expression")
	flag.StringVar(&f.stores, "stores", "sqlite,redis", "the stores to measure")
	flag.StringVar(&f.binary, "binary", "bin/hikeshi", "the built binary")
	flag.StringVar(&f.out, "out", "bench.jsonl", "where to write the figures")
	flag.IntVar(&f.rounds, "rounds", 0, "how often each subject has its turn; 0: as the size says")
	flag.BoolVar(&f.table, "markdown", false, "print the table as Markdown")
	flag.BoolVar(&f.list, "list", false, "list the measurements and stop")
	flag.BoolVar(&f.keep, "keep", false, "keep the temporary directory, with the servers' logs")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, f); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, f flags) error {
	only, err := regexp.Compile(f.only)
	if err != nil {
		return fmt.Errorf("read -only: %w", err)
	}
	if f.list {
		for _, m := range plan {
			fmt.Printf("%-22s %s\n", m.name, m.what)
		}
		return nil
	}
	lab, err := newLab(f)
	if err != nil {
		return err
	}
	defer lab.close()
	began, failed := time.Now(), 0
	for _, m := range plan {
		if !only.MatchString(m.name) || ctx.Err() != nil {
			continue
		}
		if err := lab.measure(ctx, m); err != nil {
			failed++
			lab.out.note(fmt.Sprintf("%s failed: %v", m.name, err))
			fmt.Fprintf(os.Stderr, "   failed: %v\n", err)
		}
	}
	lab.out.print(os.Stdout, time.Since(began), f.table)
	if err := lab.out.write(f.out); err != nil {
		return err
	}
	if failed > 0 || ctx.Err() != nil {
		return fmt.Errorf("%d measurements failed or were left out", failed)
	}
	return nil
}

// newLab checks that what is to be measured is there.
func newLab(f flags) (*lab, error) {
	l := &lab{binary: f.binary, size: full, out: newReport(), keep: f.keep}
	if f.quick {
		l.size = quick
	}
	if f.rounds > 0 {
		l.size.rounds = f.rounds
	}
	if _, err := os.Stat(f.binary); err != nil {
		return nil, fmt.Errorf("find the binary: %w (build it with: make build)", err)
	}
	for s := range strings.SplitSeq(f.stores, ",") {
		switch subject(s) {
		case sqlite, redis:
			l.stores = append(l.stores, subject(s))
		default:
			return nil, fmt.Errorf("-stores %q: there are sqlite and redis", s)
		}
	}
	var err error
	if l.dir, err = os.MkdirTemp("", "hikeshi-bench-"); err != nil {
		return nil, fmt.Errorf("make a temporary directory: %w", err)
	}
	return l, l.checkPrograms()
}
