package ask

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
)

// Link is the address of a page for people, with places for the time that was
// looked at and for labels of the incident:
// https://grafana.example.com/d/shop?from=$from&to=$to&var-host=$host.
type Link struct{ text string }

var linkPlace = regexp.MustCompile(`\$[a-zA-Z_][a-zA-Z0-9_]*`)

// ParseLink reads one; "" is none.
func ParseLink(text string) (Link, error) {
	if text == "" {
		return Link{}, nil
	}
	u, err := url.Parse(linkPlace.ReplaceAllString(text, "x"))
	host, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(text, "https://"), "http://"), "/")
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.Contains(host, "$") {
		return Link{}, fmt.Errorf("%q is no link: https://host/page?from=$from&to=$to", text)
	}
	return Link{text}, nil
}

// Fill makes the page's address. $from and $to are in milliseconds, as Grafana and
// most others want them; what a label says is escaped.
func (l Link) Fill(q diagnostics.Question) string {
	return linkPlace.ReplaceAllStringFunc(l.text, func(place string) string {
		switch place {
		case "$from":
			return strconv.FormatInt(q.From.UnixMilli(), 10)
		case "$to":
			return strconv.FormatInt(q.To.UnixMilli(), 10)
		}
		return strings.ReplaceAll(url.QueryEscape(q.Label(place[1:])), "+", "%20")
	})
}
