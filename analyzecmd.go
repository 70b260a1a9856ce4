package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/analysis/anomaly"
	"github.com/hikeshi-ops/hikeshi/analysis/logs"
	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

const (
	mostShown  = 20
	latestPart = 10        // the last 1/10 of a log is compared with what is before
	lineBytes  = 64 << 10  // of a line are read at once; the rest of it is passed over
	lineCount  = 1_000_000 // lines after which the oldest do not count for "before" any more
)

// analyzeCommand is "hikeshi analyze series FILE" and "hikeshi analyze logs FILE".
func analyzeCommand(_ context.Context, args []string, std streams) int {
	verbs := map[string]func(io.Reader, string, streams) error{"series": analyzeSeries, "logs": analyzeLogs}
	if len(args) != 2 || verbs[args[0]] == nil {
		fmt.Fprintln(std.err, phrases.T(language(), "analyze.usage"))
		if len(args) > 0 && slices.Contains([]string{"-h", "--help", "help"}, args[0]) {
			return exitOK
		}
		return exitUsage
	}
	f, err := os.Open(args[1])
	if err != nil {
		complain(std.err, err)
		return exitFailed
	}
	defer f.Close()
	if err := verbs[args[0]](f, args[1], std); err != nil {
		complain(std.err, err)
		return exitCode(err)
	}
	return exitOK
}

// analyzeSeries reads time,value lines once and prints what is strange.
func analyzeSeries(r io.Reader, name string, std streams) error {
	lang, rows := language(), csv.NewReader(bufio.NewReader(r))
	rows.FieldsPerRecord, rows.ReuseRecord = -1, true
	d := anomaly.New(anomaly.DefaultOptions())
	found, line := 0, 0
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		line++
		if err != nil || len(row) < 2 {
			return badSeries(name, line)
		}
		at, value, ok := seriesRow(row)
		if !ok {
			if line == 1 {
				continue // names of the columns
			}
			return badSeries(name, line)
		}
		if score, yes := d.Add(at.Unix(), value); yes {
			if found++; found <= mostShown {
				fmt.Fprintln(std.out, phrases.T(lang, "analyze.anomaly", "time", at.Format(time.RFC3339),
					"value", strconv.FormatFloat(value, 'g', 6, 64), "score", fmt.Sprintf("%.2f", score)))
			}
		}
	}
	s := d.Stats()
	if s.Seen+s.Missing == 0 {
		return badSeries(name, max(line, 1))
	}
	if found > mostShown {
		fmt.Fprintln(std.out, phrases.T(lang, "analyze.more", "count", strconv.Itoa(found-mostShown)))
	}
	fmt.Fprintln(std.out, phrases.T(lang, "analyze.series", "values", strconv.Itoa(s.Seen), "found", strconv.Itoa(found),
		"missing", strconv.Itoa(s.Missing), "disorder", strconv.Itoa(s.Disorder)))
	if s.Seen <= anomaly.DefaultOptions().Warm {
		fmt.Fprintln(std.out, phrases.T(lang, "analyze.too_few", "values", strconv.Itoa(anomaly.DefaultOptions().Warm)))
	}
	return nil
}

func badSeries(name string, line int) error {
	return incidents.Fail(incidents.Invalid, "analyze.bad_series", "not a series: "+name,
		"file", bot.Clean(name), "line", strconv.Itoa(line)).WithHint("2026-11-22T14:02:00Z,3.4")
}

// seriesRow reads a time in one of the usual forms, and a value; an empty value is missing.
func seriesRow(row []string) (at time.Time, value float64, ok bool) {
	value = math.NaN()
	if row[1] != "" {
		v, err := strconv.ParseFloat(row[1], 64)
		if err != nil {
			return at, 0, false
		}
		value = v
	}
	if seconds, err := strconv.ParseFloat(row[0], 64); err == nil && math.Abs(seconds) < 1e14 {
		if math.Abs(seconds) > 1e11 {
			seconds /= 1000 // milliseconds
		}
		return time.Unix(int64(seconds), 0).UTC(), value, true
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateTime, "2006-01-02T15:04:05"} {
		if at, err := time.Parse(layout, row[0]); err == nil {
			return at, value, true
		}
	}
	return at, 0, false
}

// analyzeLogs prints the templates of a log, and what its last part has that the
// rest had not.
func analyzeLogs(r io.Reader, name string, std streams) error {
	m, lines := logs.NewMiner(logs.DefaultLimits()), []int32(nil)
	b := bufio.NewReaderSize(r, lineBytes)
	for {
		line, more, err := b.ReadLine()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		if len(lines) >= 2*lineCount {
			lines = slices.Delete(lines, 0, lineCount)
		}
		lines = append(lines, int32(m.Add(line).ID))
		for more && err == nil {
			_, more, err = b.ReadLine()
		}
	}
	if len(lines) == 0 {
		return incidents.Fail(incidents.Invalid, "analyze.no_lines", "no lines", "file", bot.Clean(name)).WithHint("hikeshi analyze logs /var/log/syslog")
	}
	printLogs(m, lines, std.out)
	return nil
}

func printLogs(m *logs.Miner, lines []int32, out io.Writer) {
	lang, cut := language(), len(lines)-len(lines)/latestPart
	before, now, all := map[int]int{}, map[int]int{}, map[int]int{}
	for i, id := range lines {
		root := m.Root(int(id))
		all[root]++
		if i < cut {
			before[root]++
		} else {
			now[root]++
		}
	}
	s := m.Stats()
	fmt.Fprintln(out, phrases.T(lang, "analyze.logs", "lines", strconv.Itoa(s.Lines), "templates", strconv.Itoa(len(all)),
		"cut", strconv.Itoa(s.Cut), "binary", strconv.Itoa(s.Binary), "forgotten", strconv.Itoa(s.Forgotten)))
	ids := slices.SortedFunc(maps.Keys(all), func(a, b int) int { return cmp.Or(cmp.Compare(all[b], all[a]), cmp.Compare(a, b)) })
	for _, id := range ids[:min(len(ids), mostShown)] {
		fmt.Fprintf(out, "%8d  %s\n", all[id], templateText(m, id))
	}
	if len(ids) > mostShown {
		fmt.Fprintln(out, phrases.T(lang, "analyze.more", "count", strconv.Itoa(len(ids)-mostShown)))
	}
	found := logs.Compare(before, now, float64(len(lines)-cut)/float64(max(cut, 1)))
	if len(found) == 0 {
		return
	}
	fmt.Fprintln(out, phrases.T(lang, "analyze.latest", "lines", strconv.Itoa(len(lines)-cut)))
	for _, f := range found[:min(len(found), mostShown)] {
		fmt.Fprintln(out, phrases.T(lang, "analyze."+string(f.Trend), "count", strconv.Itoa(f.Count),
			"expected", fmt.Sprintf("%.1f", f.Expected), "template", templateText(m, f.ID)))
	}
}

func templateText(m *logs.Miner, id int) string {
	text := []rune(bot.Clean(m.Text(id)))
	if len(text) > 200 {
		return string(text[:199]) + "…"
	}
	return string(text)
}
