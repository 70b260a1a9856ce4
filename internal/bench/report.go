package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// figure is one number that was measured.
type figure struct {
	metric  string // "ingest_b100.rate"
	subject subject
	value   float64
	unit    string
}

// report collects figures and remarks.
type report struct {
	figures []figure
	notes   []string
}

func newReport() *report { return &report{} }

// machine is the subject of figures that are of this machine, not of a server.
const machine subject = "machine"

func (r *report) add(metric string, s subject, value float64, unit string) {
	r.figures = append(r.figures, figure{metric, s, value, unit})
}

func (r *report) note(text string) { r.notes = append(r.notes, text) }

// value finds a figure.
func (r *report) value(metric string, s subject) (float64, bool) {
	for i := range r.figures {
		if r.figures[i].metric == metric && r.figures[i].subject == s {
			return r.figures[i].value, true
		}
	}
	return 0, false
}

// write writes the figures, one JSON object a line.
func (r *report) write(path string) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for _, f := range r.figures {
		line := struct {
			Name  string  `json:"name"`
			Value float64 `json:"value"`
			Unit  string  `json:"unit"`
		}{f.metric + "." + string(f.subject), f.value, f.unit}
		if err := enc.Encode(line); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// print writes the table: a row for each metric, what each subject did, the
// ratio to the peer, and the goals; then what is of the machine.
func (r *report) print(w io.Writer, took time.Duration, markdown bool) {
	fmt.Fprintf(w, "\n%d processors, %s, %s/%s, took %s\n\n", runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH, took.Round(time.Second))
	rows := [][]string{{"metric", "unit", "sqlite", "redis", "alertmanager", "sqlite : am", "redis : am", "must", "stretch", "sqlite", "redis"}}
	ground := [][]string{{"of this machine", "value", "unit"}}
	for _, metric := range r.metrics() {
		if v, ok := r.value(metric, machine); ok {
			ground = append(ground, []string{metric, show(v), r.unit(metric)})
		} else {
			rows = append(rows, r.row(metric))
		}
	}
	for _, table := range [][][]string{rows, ground} {
		if len(table) > 1 {
			write(w, table, markdown)
		}
	}
	for _, n := range r.notes {
		fmt.Fprintln(w, "note:", n)
	}
}

// write writes a table whose first row is its head.
func write(w io.Writer, table [][]string, markdown bool) {
	if !markdown {
		tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, row := range table {
			fmt.Fprintln(tw, strings.Join(row, "\t"))
		}
		_ = tw.Flush() // a terminal that is gone has no reader
		fmt.Fprintln(w)
		return
	}
	for i, row := range table {
		fmt.Fprintln(w, "| "+strings.Join(row, " | ")+" |")
		if i == 0 {
			fmt.Fprintln(w, "|"+strings.Repeat("---|", len(row)))
		}
	}
	fmt.Fprintln(w)
}

// metrics are the names in the order in which they were first measured.
func (r *report) metrics() []string {
	var names []string
	for i := range r.figures {
		if !slices.Contains(names, r.figures[i].metric) {
			names = append(names, r.figures[i].metric)
		}
	}
	return names
}

func (r *report) unit(metric string) string {
	for i := range r.figures {
		if r.figures[i].metric == metric {
			return r.figures[i].unit
		}
	}
	return ""
}

func (r *report) row(metric string) []string {
	cells := []string{metric, r.unit(metric)}
	for _, s := range []subject{sqlite, redis, alertmanager} {
		cells = append(cells, r.cell(metric, s))
	}
	for _, s := range []subject{sqlite, redis} {
		cells = append(cells, r.ratioCell(metric, s))
	}
	must, stretch, verdicts := "", "", []string{"", ""}
	if g, ok := goals[metric]; ok {
		must, stretch = g.show(g.must), g.show(g.stretch)
		for i, s := range []subject{sqlite, redis} {
			verdicts[i] = r.verdict(metric, s, g)
		}
	}
	cells = append(cells, must, stretch)
	return append(cells, verdicts...)
}

func (r *report) cell(metric string, s subject) string {
	v, ok := r.value(metric, s)
	if !ok {
		return "-"
	}
	return show(v)
}

// ratio is the subject's figure in units of the peer's.
func (r *report) ratio(metric string, s subject) (float64, bool) {
	mine, ok := r.value(metric, s)
	peer, there := r.value(metric, alertmanager)
	if !ok || !there || peer == 0 {
		return 0, false
	}
	return mine / peer, true
}

func (r *report) ratioCell(metric string, s subject) string {
	v, ok := r.ratio(metric, s)
	if !ok {
		return "-"
	}
	return show(v) + "x"
}

// verdict says whether the goal is met: stretch, must, or MISSED.
func (r *report) verdict(metric string, s subject, g goal) string {
	v, ok := r.value(metric, s)
	if g.ratio {
		v, ok = r.ratio(metric, s)
	}
	must := g.must
	if s == redis && g.redis != 0 {
		must = g.redis
	}
	switch {
	case !ok:
		return "-"
	case g.met(v, g.stretch):
		return "stretch"
	case g.met(v, must):
		return "must"
	default:
		return "MISSED"
	}
}

// show writes a number with about three digits that mean something.
func show(v float64) string {
	switch a := max(v, -v); {
	case a == 0:
		return "0"
	case a >= 1000:
		return fmt.Sprintf("%.0f", v)
	case a >= 10:
		return fmt.Sprintf("%.1f", v)
	case a >= 0.1:
		return fmt.Sprintf("%.2f", v)
	default:
		return fmt.Sprintf("%.4f", v)
	}
}
