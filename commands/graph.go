package commands

import (
	"context"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// graph draws what a query of a person's own says. "in:name" before it names the
// source, in:"a name" where there are spaces in it.
func graph(d Deps) bot.Command {
	return bot.Command{
		Name: "graph", Aliases: []string{"chart", "グラフ"}, Usage: "graph [in:source] query",
		Example: []string{"/inc graph up", `/inc graph in:prometheus rate(http_requests_total{service="shop"}[1m])`},
		Help:    "help.graph", Right: bot.Respond, Room: true, Text: true,
		Run: func(ctx context.Context, r bot.Request, _ []string) (bot.Reply, error) {
			return d.consult(ctx, r, "graph", func(ctx context.Context, s *incidents.Incident, query string) (incidents.Diagnosed, error) {
				in, query := source(query)
				if query == "" {
					return incidents.Diagnosed{}, incidents.Fail(incidents.Invalid, "error.graph_empty", "a graph needs a query").WithHint("/inc graph up")
				}
				own := s.Customer != "" && !r.Reader.All // a query may read all that a source has
				return d.Inquiry.Graph(ctx, s, in, query, own)
			})
		},
	}
}

// source takes the name of the source off a query; "": it names none.
func source(query string) (in, rest string) {
	rest, named := strings.CutPrefix(query, "in:")
	if !named {
		return "", query
	}
	if quoted, is := strings.CutPrefix(rest, `"`); is {
		if in, after, closed := strings.Cut(quoted, `"`); closed {
			return in, strings.TrimSpace(after)
		}
	}
	in, rest, _ = strings.Cut(rest, " ")
	return in, strings.TrimSpace(rest)
}
