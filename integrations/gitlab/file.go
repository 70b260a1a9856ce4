package gitlab

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
)

const (
	maxFile   = 1 << 20 // bytes of a file that is read at all
	defaultOf = "HEAD"  // what GitLab calls the latest commit of the default branch
)

// Manual is a file of the project's repository.
// https://docs.gitlab.com/api/repository_files/
func (k *Tracker) Manual(ctx context.Context, m incidents.Manual) (bot.Prose, error) {
	ref := cmp.Or(m.Ref, defaultOf)
	body, err := k.client.Raw(ctx, remote.Ask{
		Method: http.MethodGet, Path: k.at("repository", "files", url.PathEscape(m.File), "raw"), Query: url.Values{"ref": {ref}}, Lane: limit.Urgent,
	}, maxFile)
	if err != nil {
		return bot.Prose{}, err
	}
	return bot.Prose{Title: m.File, Text: string(body), URL: k.filePage(m.File, ref)}, nil
}

// filePage is where people read it; "" where only the project's number is known.
func (k *Tracker) filePage(file, ref string) string {
	if !strings.Contains(k.config.Project, "/") {
		return ""
	}
	return k.config.URL + "/" + k.config.Project + "/-/blob/" + (&url.URL{Path: ref + "/" + file}).EscapedPath()
}
