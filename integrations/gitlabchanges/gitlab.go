// Package gitlabchanges tells the commits and deployments of a project on GitLab as
// changes. It is a diagnostics.Source: it only reads. Start with New.
package gitlabchanges

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/ask"
)

// Config is one project: group/name, or its number. Environment is the one whose
// deployments are told, "" for all.
type Config struct {
	URL         string `yaml:"url"`
	TokenFile   string `yaml:"token_file"`
	Project     string `yaml:"project"`
	Environment string `yaml:"environment"`
	Service     string `yaml:"service"`

	Token string `yaml:"-"`
}

var projectName = regexp.MustCompile(`\A[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*\z`)

// Source is one project. It is safe for concurrent use.
type Source struct {
	config Config
	client *ask.Client
}

// New checks the configuration.
func New(c Config) (*Source, error) {
	if !projectName.MatchString(c.Project) {
		return nil, errors.New("project is not of the form group/name")
	}
	header := http.Header{}
	if c.Token != "" {
		header.Set("Private-Token", c.Token)
	}
	client, err := ask.New("gitlab", c.URL, header)
	return &Source{c, client}, err
}

// Name is the project's.
func (s *Source) Name() string { return "gitlab " + s.config.Project }

// Tells is what it knows about.
func (*Source) Tells() []incidents.ClueKind {
	return []incidents.ClueKind{incidents.ClueChange}
}

// Ask asks for commits and deployments at the same time.
func (s *Source) Ask(ctx context.Context, q diagnostics.Question) (diagnostics.Answer, error) {
	return ask.Changes(ctx, q, s.config.Service, s.commits, s.deployments)
}

func (s *Source) get(ctx context.Context, what string, query url.Values, into any) error {
	query.Set("per_page", strconv.Itoa(ask.Page))
	return s.client.Get(ctx, "/api/v4/projects/"+url.PathEscape(s.config.Project)+what, query, into)
}

func iso(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// https://docs.gitlab.com/api/commits/#list-repository-commits
func (s *Source) commits(ctx context.Context, from, to time.Time) ([]diagnostics.Change, error) {
	var said []struct {
		ID          string
		Title       string
		Author      string    `json:"author_name"`
		CommittedAt time.Time `json:"committed_date"`
		Link        string    `json:"web_url"`
	}
	err := s.get(ctx, "/repository/commits", url.Values{"since": {iso(from)}, "until": {iso(to)}}, &said)
	var all []diagnostics.Change
	for _, c := range said {
		all = append(all, diagnostics.Change{At: c.CommittedAt, Title: c.Title, By: c.Author, URL: c.Link, Revision: c.ID})
	}
	return all, err
}

// https://docs.gitlab.com/api/deployments/#list-project-deployments. One that failed
// may have changed something too, so its state is told and not asked for.
func (s *Source) deployments(ctx context.Context, from, to time.Time) ([]diagnostics.Change, error) {
	query := url.Values{"updated_after": {iso(from)}, "updated_before": {iso(to)}, "order_by": {"updated_at"}, "sort": {"desc"}}
	if s.config.Environment != "" {
		query.Set("environment", s.config.Environment)
	}
	var said []struct {
		SHA, Ref, Status string
		UpdatedAt        time.Time `json:"updated_at"`
		User             struct{ Name string }
		Environment      struct{ Name string }
		Deployable       struct {
			Link     string `json:"web_url"`
			Pipeline struct {
				Link string `json:"web_url"`
			}
		}
	}
	err := s.get(ctx, "/deployments", query, &said)
	var all []diagnostics.Change
	for _, d := range said {
		title := d.Ref + " → " + d.Environment.Name
		if d.Status != "success" {
			title += " (" + d.Status + ")"
		}
		link := cmp.Or(d.Deployable.Link, d.Deployable.Pipeline.Link, s.client.Address()+"/"+s.config.Project+"/-/deployments")
		all = append(all, diagnostics.Change{At: d.UpdatedAt, Title: title, By: d.User.Name, URL: link, Revision: d.SHA})
	}
	return all, err
}
