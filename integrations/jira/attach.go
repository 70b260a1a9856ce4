package jira

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
)

var _ tracker.Attacher = (*Tracker)(nil)

// attachment is a file of an issue as Jira tells it.
type attachment struct {
	Filename string `json:"filename"`
	Author   *user  `json:"author"`
}

// Attach gives the issue the file, unless it has the one with that key: the
// attempt before may have worked without anybody hearing of it. Which files an
// issue has Jira reads where it keeps them, so that no index lags here.
func (k *Tracker) Attach(ctx context.Context, key string, f tracker.File) error {
	me, err := k.client.me(ctx)
	if err != nil {
		return err
	}
	var there struct {
		Fields struct {
			Attachment []attachment `json:"attachment"`
		} `json:"fields"`
	}
	q := url.Values{"fields": {"attachment"}}
	if err := k.client.do(ctx, ask{method: http.MethodGet, path: "issue/" + esc(key), query: q}, &there); err != nil {
		return err
	}
	if slices.ContainsFunc(there.Fields.Attachment, func(a attachment) bool {
		return a.Author.account() == me.account() && strings.HasPrefix(a.Filename, f.Key+"-")
	}) {
		return nil
	}
	form, err := f.Form()
	if err != nil {
		return err
	}
	failpoint.Hit("jira.attach.before")
	var put []attachment
	err = k.client.do(ctx, ask{method: http.MethodPost, path: "issue/" + esc(key) + "/attachments", form: form, key: key, lane: limit.Idle}, &put)
	failpoint.Hit("jira.attach.asked")
	if err == nil && len(put) == 0 {
		return fail("error.jira_no_json", "jira did not say which file it took")
	}
	return err
}
