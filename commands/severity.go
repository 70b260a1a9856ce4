package commands

import (
	"context"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// severity sets how bad it is; a person's word wins over the alerts'.
func severity(d Deps) bot.Command {
	return bot.Command{
		Name: "severity", Aliases: []string{"sev", "重大度"}, Usage: "severity SEV1…SEV5",
		Example: []string{"/inc severity SEV2", "/inc sev 1"},
		Help:    "help.severity", Right: bot.Respond, Room: true,
		Run: func(ctx context.Context, r bot.Request, args []string) (bot.Reply, error) {
			if err := atMost(1, "severity", args); err != nil {
				return bot.Reply{}, err
			}
			sev := incidents.SevUnknown // the incident refuses it, and says what there is
			if len(args) > 0 {
				sev, _ = incidents.ParseSeverity(args[0])
			}
			s, err := d.Incidents.Do(ctx, r.Incident, r.Once, incidents.SetSeverity{By: r.Person, Severity: sev})
			if err != nil {
				return bot.Reply{}, err
			}
			return confirm(r, s, "say.severity", "id", s.ID.String(), "severity", s.Severity().String()), nil
		},
	}
}
