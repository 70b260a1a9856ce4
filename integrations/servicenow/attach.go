package servicenow

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
)

// attachment is a file of a record.
type attachment struct {
	SysID string `json:"sys_id"`
	By    string `json:"sys_created_by"` // a user_name
}

// HasFile says whether the record has a file of ours with that key.
// https://www.servicenow.com/docs/r/api-reference/rest-apis/c_AttachmentAPI.html
func (a *api) HasFile(ctx context.Context, ticket, key string) (bool, error) {
	now, err := a.record(ctx, ticket, limit.Idle)
	if err != nil {
		return false, err
	}
	me, err := a.me(ctx)
	if err != nil {
		return false, err
	}
	query := "table_name=" + esc(a.config.Project) + "^table_sys_id=" + esc(now.SysID.Value) + "^sys_created_by=" + esc(me.UserName) + "^file_nameSTARTSWITH" + esc(key) + "-"
	var got struct {
		Result json.RawMessage `json:"result"`
	}
	q := url.Values{"sysparm_query": {query}, "sysparm_limit": {"1"}}
	if err := a.client.Do(ctx, remote.Ask{Method: http.MethodGet, Path: "attachment", Query: q, Lane: limit.Idle}, &got); err != nil {
		return false, err
	}
	var there []attachment
	if len(got.Result) == 0 || json.Unmarshal(got.Result, &there) != nil {
		return false, a.client.NotThem("it does not say which files there are")
	}
	return len(there) > 0 && there[0].By == me.UserName, nil
}

// PutFile gives the record a file.
func (a *api) PutFile(ctx context.Context, ticket string, f tracker.File) error {
	now, err := a.record(ctx, ticket, limit.Idle)
	if err != nil {
		return err
	}
	var made struct {
		Result attachment `json:"result"`
	}
	q := url.Values{"table_name": {a.config.Project}, "table_sys_id": {now.SysID.Value}, "file_name": {f.Name}}
	body := &tracker.Body{Kind: "text/markdown; charset=utf-8", Bytes: f.Text}
	err = a.client.Do(ctx, remote.Ask{Method: http.MethodPost, Path: "attachment/file", Query: q, Body: body, Lane: limit.Idle}, &made)
	if err == nil && !sysID.MatchString(made.Result.SysID) {
		err = a.client.NotThem("it does not say which file it took")
	}
	return err
}
