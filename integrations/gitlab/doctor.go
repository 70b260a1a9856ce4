package gitlab

import (
	"context"
	"net/http"
	"net/url"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
)

// Examine looks at everything that has to be right for issues to be opened, and
// changes nothing.
func (k *Tracker) Examine(ctx context.Context) []tracker.Finding {
	x := &remote.Examination{Config: &k.config, System: k.client.System}
	me, err := k.Me(ctx)
	if x.Refused(err, "tracker.doctor.do.token") {
		return x.All
	}
	x.Good("tracker.doctor.me", "who", bot.Line(me.Name, 80), "account", k.config.Name+":"+me.ID)
	var found struct {
		Path     string `json:"path_with_namespace"`
		Issues   bool   `json:"issues_enabled"`
		Archived bool   `json:"archived"`
	}
	err = k.client.Do(ctx, remote.Ask{Method: http.MethodGet, Path: "projects/" + url.PathEscape(k.config.Project)}, &found)
	if x.Refused(err, "gitlab.doctor.do.project") {
		return x.All
	}
	if !found.Issues || found.Archived {
		x.Bad("gitlab.doctor.closed", "gitlab.doctor.do.closed")
		return x.All
	}
	x.Good("tracker.doctor.project", "there", bot.Line(found.Path, 120))
	var members []user
	err = k.client.Do(ctx, remote.Ask{Method: http.MethodGet, Path: k.at("members", "all"), Query: url.Values{"per_page": {"100"}}}, &members)
	if !x.Refused(err, "gitlab.doctor.do.project") {
		var all []remote.Account
		for _, m := range members {
			all = append(all, m.account())
		}
		x.People(all)
	}
	x.Hears("POST /v1/gitlab/" + k.config.Name)
	return x.All
}
