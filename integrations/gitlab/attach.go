package gitlab

import (
	"context"
	"net/http"
	"regexp"

	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
)

// uploaded is an address below the project where GitLab keeps a file.
var uploaded = regexp.MustCompile(`^/uploads/[0-9a-f]{32,64}/[A-Za-z0-9_.-]+$`)

// HasFile says whether a comment of ours leads to a file with that key.
func (a *api) HasFile(ctx context.Context, ticket, key string) (bool, error) {
	return a.stands(ctx, ticket, sign(key))
}

// PutFile sends the file to the project and says below the issue where it is. One to
// which nothing leads stays with the project, where only its maintainers see it.
// https://docs.gitlab.com/api/project_markdown_uploads/
func (a *api) PutFile(ctx context.Context, ticket string, f tracker.File) error {
	form, err := f.Form()
	if err != nil {
		return err
	}
	var sent struct {
		URL string `json:"url"`
	}
	if err := a.client.Do(ctx, remote.Ask{Method: http.MethodPost, Path: a.at("uploads"), Body: form, Lane: limit.Idle}, &sent); err != nil {
		return err
	}
	if !uploaded.MatchString(sent.URL) {
		return a.client.NotThem("it does not say where it keeps the file")
	}
	return a.say(ctx, ticket, "📎 ["+f.Name+"]("+sent.URL+")", sign(f.Key))
}
