package runbooks

import (
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Param is a typed parameter. One validator, [Param.Accept], stands between a
// runbook and every way a value can come: from an alert's labels, from a chat,
// from the API.
type Param struct {
	Name    string
	Title   incidents.Text
	Type    ParamType
	Values  []string // enum
	Min     int64    // int; duration: nanoseconds
	Max     int64    // int; duration: nanoseconds
	Pattern string   // string: a regular expression (RE2) for the whole value
	Length  int      // string: at most so many bytes
	Dash    bool     // string: may begin with "-"
	From    string   // the label that gives the default: "instance"; "" for none
	Default string   // where no value was given and From gave none
	HasDef  bool

	match *regexp.Regexp
	hosts []string // the inventory, in lower case; "*.example.com" stands for all below; nil: any host
}

// ParamType is what a parameter's values are.
type ParamType string

// The types of parameters.
const (
	TypeEnum   ParamType = "enum"   // one of Values
	TypeInt    ParamType = "int"    // Min to Max, in plain decimal
	TypeString ParamType = "string" // the whole of it matches Pattern
	TypeHost   ParamType = "host"   // a host's name or an IP address, without a port; one of the inventory's, where there is one

	TypeDuration ParamType = "duration" // Min to Max, as Go writes it: 90s, 1h30m
)

// maxValue bounds a parameter's value, in bytes.
const maxValue = 1024

var (
	hostName  = regexp.MustCompile(`\A(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\z`)
	multiline = regexp.MustCompile(`\(\?[A-Za-z]*m`)
)

// Accept says whether value is one that the parameter allows.
func (p *Param) Accept(value string) bool {
	if len(value) > maxValue || !utf8.ValidString(value) || strings.ContainsFunc(value, notPlain) {
		return false
	}
	if strings.HasPrefix(value, "-") && !p.mayDash() {
		return false
	}
	switch p.Type {
	case TypeEnum:
		return slices.Contains(p.Values, value)
	case TypeInt:
		n, err := strconv.ParseInt(value, 10, 64)
		return err == nil && strconv.FormatInt(n, 10) == value && p.Min <= n && n <= p.Max
	case TypeString:
		return len(value) <= p.Length && p.match.MatchString(value)
	case TypeHost:
		_, err := netip.ParseAddr(value)
		is := err == nil && !strings.Contains(value, "%") || len(value) <= 253 && hostName.MatchString(value)
		return is && p.inInventory(value)
	case TypeDuration:
		d, err := time.ParseDuration(value)
		return err == nil && durationForm.MatchString(value) && p.Min <= int64(d) && int64(d) <= p.Max
	}
	return false
}

// durationForm is narrower than what time.ParseDuration takes: other programs
// read the value too.
var durationForm = regexp.MustCompile(`\A(?:[0-9]+(?:ms|s|m|h))+\z`)

// inventory limits the parameters of type host to these.
func (rb *Runbook) inventory(hosts []string) {
	if len(hosts) == 0 {
		return
	}
	known := make([]string, len(hosts))
	for i, h := range hosts {
		known[i] = strings.ToLower(h)
	}
	for i := range rb.Params {
		if rb.Params[i].Type == TypeHost {
			rb.Params[i].hosts = known
		}
	}
}

func (p *Param) inInventory(host string) bool {
	host = strings.ToLower(host)
	return p.hosts == nil || slices.ContainsFunc(p.hosts, func(known string) bool {
		below, wild := strings.CutPrefix(known, "*")
		return known == host || wild && len(host) > len(below) && strings.HasSuffix(host, below)
	})
}

// notPlain are characters that end lines, move cursors, or change the direction
// or the look of what is around them.
func notPlain(c rune) bool {
	return unicode.IsControl(c) || c == '\u2028' || c == '\u2029' || unicode.Is(unicode.Bidi_Control, c)
}

// mayDash: what begins with a dash can be taken for an option by the program
// that gets it, so the author must have meant it.
func (p *Param) mayDash() bool {
	return p.Dash || p.Type == TypeInt && p.Min < 0
}

// Allowed describes the values, for people who have to choose one.
func (p *Param) Allowed() string {
	switch p.Type {
	case TypeEnum:
		return strings.Join(p.Values, " | ")
	case TypeInt:
		return strconv.FormatInt(p.Min, 10) + "…" + strconv.FormatInt(p.Max, 10)
	case TypeDuration:
		return time.Duration(p.Min).String() + "…" + time.Duration(p.Max).String()
	case TypeString:
		return "/" + p.Pattern + "/"
	case TypeHost:
		if p.hosts != nil {
			return strings.Join(p.hosts, " | ")
		}
	}
	return string(p.Type)
}

// fromLabels is the value that the incident's labels give. A host drops the port
// that Prometheus puts into instance.
func (p *Param) fromLabels(l incidents.Labels) string {
	if p.From == "" {
		return ""
	}
	value := l.Get(p.From)
	if p.Type == TypeHost {
		if host, _, err := net.SplitHostPort(value); err == nil {
			return host
		}
	}
	return value
}
