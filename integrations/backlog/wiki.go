package backlog

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
)

// wikiPage is one as Backlog tells it; in a list it has no content.
type wikiPage struct {
	ID      int       `json:"id"`
	Project int       `json:"projectId"`
	Name    string    `json:"name"`
	Content string    `json:"content"`
	Updated time.Time `json:"updated"`
}

// maxWikis bounds, in bytes, the list of a project's pages, some six thousand of them:
// it comes whole, and what its search finds for a name is not said to be the name. It
// bounds a page as well, of which the beginning is shown: that too comes whole.
const maxWikis = 4 << 20

// Manual is a page of the project's wiki, named or numbered.
func (k *Tracker) Manual(ctx context.Context, m incidents.Manual) (bot.Prose, error) {
	p, err := k.project(ctx)
	if err != nil {
		return bot.Prose{}, err
	}
	id, err := strconv.Atoi(m.Page)
	if err != nil {
		if id, err = k.wikiNamed(ctx, m.Page); err != nil {
			return bot.Prose{}, err
		}
	}
	body, err := k.client.Raw(ctx, remote.Ask{Method: http.MethodGet, Path: "wikis/" + strconv.Itoa(id), Lane: limit.Urgent}, maxWikis)
	if err != nil {
		return bot.Prose{}, err
	}
	var found wikiPage
	if err := json.Unmarshal(body, &found); err != nil {
		return bot.Prose{}, k.client.NotThem("its wiki page is none")
	}
	if found.Project != p.ID { // the account may see more than who reads it here may
		return bot.Prose{}, k.noPage(m.Page)
	}
	text := found.Content
	if !p.markdown {
		text = markdownOf(text)
	}
	return bot.Prose{Title: found.Name, Text: text, URL: k.config.URL + "/alias/wiki/" + strconv.Itoa(found.ID), Changed: found.Updated}, nil
}

func (k *Tracker) wikiNamed(ctx context.Context, name string) (int, error) {
	ask := remote.Ask{Method: http.MethodGet, Path: "wikis", Query: url.Values{"projectIdOrKey": {k.config.Project}}, Lane: limit.Urgent}
	body, err := k.client.Raw(ctx, ask, maxWikis)
	if err != nil {
		return 0, err
	}
	var all []wikiPage
	if err := json.Unmarshal(body, &all); err != nil {
		return 0, k.client.NotThem("its list of wiki pages is none")
	}
	for i := range all {
		if all[i].Name == name {
			return all[i].ID, nil
		}
	}
	return 0, k.noPage(name)
}

func (k *Tracker) noPage(name string) error {
	return incidents.Fail(incidents.NotFound, "error.manual_missing", "the wiki has no page "+name, "from", k.config.Name, "place", bot.Line(name, 120))
}
