// Package hostlog reads the log of one unit or one file on the host of an alert,
// over ssh, where nobody ships logs anywhere. It is a diagnostics.Source: it runs
// journalctl or tail with arguments that stand in this package, on hosts of the
// inventory only, and reads a bounded part of what they say. Start with New.
package hostlog

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/ask"
)

// Config is one log. Host is a name of the inventory, or $host for the incident's
// label host. Either Unit or File is set.
type Config struct {
	Name    string `yaml:"name"`
	Host    string `yaml:"host"`
	Unit    string `yaml:"unit"`
	File    string `yaml:"file"`
	Service string `yaml:"service"`
}

// Reader runs a program on a host of the inventory, and gives what it wrote: at most
// so many bytes, and whether there was more.
type Reader interface {
	Has(host string) bool
	Read(ctx context.Context, host string, argv []string, most int) (output []byte, more bool, err error)
}

const (
	mostBytes = 4 << 20
	mostLines = 2 * ask.MostLines
)

var (
	unitName  = regexp.MustCompile(`\A[A-Za-z0-9][A-Za-z0-9:_.@\\-]{0,200}\z`) // systemd.unit(5); none begins with a dash
	filePath  = regexp.MustCompile(`\A/[^\x00-\x1f\x7f]{1,1000}\z`)
	labelName = regexp.MustCompile(`\A\$[a-zA-Z_][a-zA-Z0-9_]*\z`)
)

// Source is one log. It is safe for concurrent use.
type Source struct {
	config Config
	reader Reader
	clean  ask.Clean
}

// New checks the configuration.
func New(c Config, reader Reader, clean ask.Clean) (*Source, error) {
	c.Name = cmp.Or(c.Name, c.Unit, c.File)
	switch {
	case (c.Unit == "") == (c.File == ""):
		return nil, errors.New("either unit or file: unit: nginx.service")
	case c.Unit != "" && !unitName.MatchString(c.Unit):
		return nil, fmt.Errorf("%q is no name of a unit", c.Unit)
	case c.File != "" && (!filePath.MatchString(c.File) || path.Clean(c.File) != c.File):
		return nil, fmt.Errorf("%q is no path from the root", c.File)
	case reader == nil:
		return nil, errors.New("ssh has no inventory: runbooks.inventory")
	case strings.HasPrefix(c.Host, "$"):
		if !labelName.MatchString(c.Host) {
			return nil, fmt.Errorf("%q is no label", c.Host)
		}
	case !reader.Has(c.Host):
		return nil, fmt.Errorf("%q is no host of the inventory, and no label: host: $host", c.Host)
	}
	return &Source{c, reader, clean}, nil
}

// Name is as it is configured.
func (s *Source) Name() string { return s.config.Name }

// Tells is what it knows about.
func (*Source) Tells() []incidents.ClueKind {
	return []incidents.ClueKind{incidents.ClueLog}
}

// Ask reads the log of the time that is looked at.
func (s *Source) Ask(ctx context.Context, q diagnostics.Question) (diagnostics.Answer, error) {
	if !ask.Fits(s.config.Service, q) {
		return diagnostics.Answer{}, nil
	}
	host := s.config.Host
	if label, is := strings.CutPrefix(host, "$"); is {
		host = q.Label(label)
		if h, _, err := net.SplitHostPort(host); err == nil && !s.reader.Has(host) {
			host = h // instance: web-1:9100
		}
		if !s.reader.Has(host) {
			return diagnostics.Answer{}, incidents.Fail(incidents.NotFound, "clue.missing.host", "the incident's "+label+" is no host of the inventory", "label", label, "host", ask.Cut(host))
		}
	}
	out, more, err := s.reader.Read(ctx, host, s.argv(q), mostBytes)
	if err != nil {
		return diagnostics.Answer{}, err
	}
	all := journal(out)
	if s.config.File != "" {
		all = plain(out, q)
		if len(all) == 0 && len(bytes.TrimSpace(out)) > 0 {
			return diagnostics.Answer{}, incidents.Fail(incidents.Invalid, "clue.missing.untimed", "no line of "+s.config.File+" begins with a time that can be read", "file", s.config.File)
		}
	}
	early := len(all) > 0 && all[0].At.Before(q.From) // what is missing is of another time
	more = more || len(all) >= mostLines
	all = slices.DeleteFunc(all, func(l ask.Line) bool { return l.At.Before(q.From) || l.At.After(q.To) })
	return ask.Lines{All: all, CutBefore: more && !early}.Trends(q, s.clean), nil
}

// argv is all that is ever run. The latest lines are asked for: of a log that is too
// long those around the alert.
func (s *Source) argv(q diagnostics.Question) []string {
	if s.config.File != "" {
		return []string{"tail", "-n", strconv.Itoa(2 * ask.MostLines), "--", s.config.File}
	}
	return []string{
		"journalctl", "--no-pager", "--quiet", "--output=json", "--output-fields=MESSAGE", "--unit=" + s.config.Unit,
		"--since=@" + strconv.FormatInt(q.From.Unix(), 10), "--until=@" + strconv.FormatInt(q.To.Unix()+1, 10), "--lines=" + strconv.Itoa(mostLines),
	}
}

// journal reads one object a line; a message that is no text comes as numbers
// (https://systemd.io/JOURNAL_EXPORT_FORMATS/#journal-json-format).
func journal(out []byte) []ask.Line {
	var all []ask.Line
	for line := range bytes.Lines(out) {
		var entry struct {
			At      string `json:"__REALTIME_TIMESTAMP"` // microseconds
			Message any    `json:"MESSAGE"`
		}
		if json.Unmarshal(line, &entry) != nil {
			continue
		}
		us, err := strconv.ParseInt(entry.At, 10, 64)
		if text := message(entry.Message); err == nil && text != "" {
			all = append(all, ask.Line{At: time.UnixMicro(us), Text: text})
		}
	}
	return all
}

func message(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		b := make([]byte, 0, len(v))
		for _, n := range v {
			f, is := n.(float64)
			if !is || f < 0 || f > 255 {
				return ""
			}
			b = append(b, byte(f))
		}
		return string(b)
	}
	return ""
}
