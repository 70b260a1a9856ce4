package backlog

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
)

// attachment is a file of an issue.
type attachment struct {
	ID     int    `json:"id"`
	Name   string `json:"name"`
	Author *user  `json:"createdUser"`
}

// HasFile says whether the issue has a file of ours with that key.
// https://developer.nulab.com/docs/backlog/api/2/get-list-of-issue-attachments/
func (a *api) HasFile(ctx context.Context, ticket, key string) (bool, error) {
	me, err := a.Me(ctx)
	if err != nil {
		return false, err
	}
	var there []attachment
	err = a.client.Do(ctx, remote.Ask{Method: http.MethodGet, Path: "issues/" + url.PathEscape(ticket) + "/attachments", Lane: limit.Idle}, &there)
	return slices.ContainsFunc(there, func(f attachment) bool {
		return f.Author.account().ID == me.ID && strings.HasPrefix(f.Name, key+"-")
	}), err
}

// PutFile sends the file to the space and then gives it to the issue. One that is on no
// issue Backlog throws away after an hour.
// https://developer.nulab.com/docs/backlog/api/2/post-attachment-file/
func (a *api) PutFile(ctx context.Context, ticket string, f tracker.File) error {
	form, err := f.Form()
	if err != nil {
		return err
	}
	var sent attachment
	if err := a.client.Do(ctx, remote.Ask{Method: http.MethodPost, Path: "space/attachment", Body: form, Lane: limit.Idle}, &sent); err != nil {
		return err
	}
	if sent.ID <= 0 {
		return a.client.NotThem("it does not say which file it took")
	}
	return a.edit(ctx, ticket, url.Values{"attachmentId[]": {strconv.Itoa(sent.ID)}}, &issue{})
}
