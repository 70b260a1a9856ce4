package slack

import (
	"context"
	"strconv"

	api "github.com/slack-go/slack"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
)

// maxHome is how many open incidents the Home tab shows.
const maxHome = 30

// home shows somebody what waits for them: approvals first, then the incidents
// that are theirs, then the others. It has links only: what can be pressed
// belongs to the rooms.
func (c *Chat) home(ctx context.Context, user string) {
	p, err := c.who(ctx, user)
	if err != nil && p.no == nil {
		c.log.WarnContext(ctx, "slack: could not show somebody their Home tab", "user", user, "error", err)
		return
	}
	var blocks []api.Block
	if p.no != nil {
		blocks = []api.Block{(&rich{}).text(bot.ErrorText(p.lang, p.no)).block()}
	} else if blocks, err = c.homeBlocks(ctx, p); err != nil {
		c.log.WarnContext(ctx, "slack: could not read the incidents for a Home tab", "user", user, "error", err)
		return
	}
	err = c.call(ctx, viewsPublish, "", limit.Idle, func(ctx context.Context) error {
		_, err := c.api.PublishViewContext(ctx, api.PublishViewContextRequest{
			UserID: user, View: api.HomeTabViewRequest{Type: api.VTHomeTab, Blocks: api.Blocks{BlockSet: blocks}}})
		return err
	})
	if err != nil {
		c.log.WarnContext(ctx, "slack: could not show somebody their Home tab", "user", user, "error", explain(viewsPublish, err))
	}
}

func (c *Chat) homeBlocks(ctx context.Context, p person) ([]api.Block, error) {
	me := c.rights.Who(p.actor)
	page, err := bot.ReaderOf(c.rights, me).List(ctx, c.incidents, incidents.Query{Open: true, Limit: maxHome})
	if err != nil {
		return nil, err
	}
	var waiting, mine, others []*rich
	for i := range page.Incidents {
		s, err := c.incidents.Load(ctx, page.Incidents[i].ID)
		if err != nil || c.rights.May(me, bot.View, bot.Of(s.Scope())) != nil {
			if err != nil && incidents.CodeOf(err) != incidents.NotFound {
				return nil, err
			}
			continue
		}
		pending := s.PendingApprovals()
		mayApprove := c.rights.May(me, bot.ApproveRuns, bot.Of(s.Scope())) == nil
		for j := range pending {
			if mayApprove {
				waiting = append(waiting, c.row(s, p.lang, bot.Title(p.lang, pending[j].Plan.Title, pending[j].Plan.Runbook)))
			}
		}
		if concerns(s, me.ID) {
			mine = append(mine, c.row(s, p.lang, ""))
		} else {
			others = append(others, c.row(s, p.lang, ""))
		}
	}
	blocks := []api.Block{}
	if page.Cut || page.OpenCut {
		blocks = append(blocks, (&rich{}).faint(phrases.T(p.lang, "say.list_cut", "n", strconv.Itoa(bot.MostScanned))).block())
	}
	for _, part := range []struct {
		key  string
		rows []*rich
	}{{"waiting", waiting}, {"mine", mine}, {"others", others}} {
		blocks = append(blocks, api.NewHeaderBlock(words(phrases.T(p.lang, "slack.home."+part.key))))
		blocks = append(blocks, rows(p.lang, part.rows))
	}
	return blocks, nil
}

// rows are one block; what does not fit is counted.
func rows(lang string, all []*rich) api.Block {
	out := &rich{}
	for i, r := range all {
		if out.size+r.size > maxText/3 {
			out.faint(more(lang, len(all)-i)).end()
			break
		}
		out.line = append(out.line, r.line...)
		out.size += r.size
		out.end()
	}
	if out.empty() {
		out.faint(phrases.T(lang, "slack.home.none"))
	}
	return out.block()
}

// row is an incident in one line, with the way to its room.
func (c *Chat) row(s *incidents.Incident, lang, what string) *rich {
	to := s.Rooms[Name].URL
	if to == "" {
		to = c.links.Incident(s.ID)
	}
	r := (&rich{}).link(to, s.ID.String()).text(" " + s.Severity().String() + " ").bold(bot.Line(s.Title, 200)).text(" · " + bot.StatusWord(lang, s.Status()))
	if what != "" {
		r.text(" · " + what)
	}
	return r
}

// concerns says whether somebody has taken part in an incident.
func concerns(s *incidents.Incident, id string) bool {
	if a := s.AckedBy(); a != nil && a.By.ID == id || s.Commander != nil && s.Commander.By.ID == id || s.Declared != nil && s.Declared.By.ID == id {
		return true
	}
	for i := range s.Responders {
		if s.Responders[i].By.ID == id {
			return true
		}
	}
	return false
}
