package audit

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Exporter writes records out, one at a time, so that an audit of any length
// needs no memory. Flush comes last.
type Exporter interface {
	Write(e Entry) error
	Flush() error
}

// Formats of an export.
const (
	JSONLines = "jsonl"
	CSV       = "csv"
)

// NewExporter makes the exporter of a format; nil where there is none.
func NewExporter(format string, to io.Writer) Exporter {
	switch format {
	case JSONLines:
		return lines{to}
	case CSV:
		return &sheet{w: csv.NewWriter(to)}
	}
	return nil
}

// lines writes each record as it is, and its MAC beside it.
type lines struct{ to io.Writer }

func (l lines) Write(e Entry) error {
	line, err := json.Marshal(struct {
		MAC    MAC             `json:"mac"`
		Record json.RawMessage `json:"record"`
	}{e.MAC, e.Body})
	if err != nil {
		return fmt.Errorf("export record %d: %w", e.Seq, err)
	}
	_, err = l.to.Write(append(line, '\n'))
	return err
}

func (l lines) Flush() error { return nil }

// sheet writes a table.
type sheet struct {
	w     *csv.Writer
	begun bool
}

var columns = []string{
	"seq", "at", "kind", "action", "of", "result", "by", "name", "from", "replica", "where", "why", "incident", "run", "approval",
	"approvers", "approved_at", "runbook", "runbook_digest", "plan_digest", "risk", "step", "step_kind", "argv", "argv_mac", "target",
	"code", "output", "output_mac", "error", "took_ms", "before", "after", "unsaid", "key", "mac",
}

func (s *sheet) Write(e Entry) error {
	r, err := Decode(e.Body)
	if err != nil {
		return fmt.Errorf("export record %d: %w", e.Seq, err)
	}
	if !s.begun {
		s.begun = true
		if err := s.w.Write(columns); err != nil {
			return err
		}
	}
	number := func(n int64) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatInt(n, 10)
	}
	approvers, approved := make([]string, 0, len(r.Approvers)), ""
	for _, p := range r.Approvers {
		approvers = append(approvers, p.ID)
	}
	if !r.ApprovedAt.IsZero() {
		approved = r.ApprovedAt.String()
	}
	row := []string{
		number(r.Seq), r.At.String(), string(r.Kind), string(r.Action), number(r.Of), string(r.Result), r.By.ID, r.By.Name, r.By.From,
		r.Replica, r.Where, r.Why, r.Incident, r.Run, r.Approval, strings.Join(approvers, " "), approved, r.Runbook, r.RunbookDigest, r.PlanDigest, r.Risk,
		r.Step, r.StepKind, strings.Join(r.Argv, " "), r.ArgvMAC, r.Target, number(int64(r.Code)), number(int64(r.Output)), r.OutputMAC,
		r.Error, number(r.TookMS), r.Before, r.After, number(r.Unsaid), r.Key, e.MAC.String(),
	}
	for i := range row {
		row[i] = inert(row[i])
	}
	return s.w.Write(row)
}

// inert keeps a spreadsheet from calculating a cell: what begins like a formula,
// in full-width characters too, gets an apostrophe in front
// (https://owasp.org/www-community/attacks/CSV_Injection). Numbers stay: a minus
// sign is the only one of the characters that ours can begin with.
func inert(cell string) string {
	text := strings.TrimLeft(cell, " \u3000\u00a0'\"")
	if text == "" || !strings.ContainsAny(text[:1], "=+-@\t\r\n|%") && !strings.HasPrefix(text, "＝") &&
		!strings.HasPrefix(text, "＋") && !strings.HasPrefix(text, "－") && !strings.HasPrefix(text, "＠") {
		return cell
	}
	if _, err := strconv.ParseInt(cell, 10, 64); err == nil && cell[0] != '+' {
		return cell
	}
	return "'" + cell
}

func (s *sheet) Flush() error {
	s.w.Flush()
	return s.w.Error()
}
