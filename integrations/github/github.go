// Package github tells the commits, deployments and releases of a repository on
// GitHub as changes. It is a diagnostics.Source: it only reads. Start with New.
package github

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/ask"
)

// Config is one repository: owner/name. Environment is the one whose deployments
// are told, "" for all.
type Config struct {
	URL         string `yaml:"url"` // of the API; "" for github.com
	TokenFile   string `yaml:"token_file"`
	Repository  string `yaml:"repository"`
	Environment string `yaml:"environment"`
	Service     string `yaml:"service"`

	Token string `yaml:"-"`
}

const publicAPI = "https://api.github.com"

var repositoryName = regexp.MustCompile(`\A[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}\z`)

// Source is one repository. It is safe for concurrent use.
type Source struct {
	config Config
	client *ask.Client
}

// New checks the configuration.
func New(c Config) (*Source, error) {
	if !repositoryName.MatchString(c.Repository) || strings.HasSuffix(c.Repository, "/.") || strings.HasSuffix(c.Repository, "/..") {
		return nil, errors.New("repository is not of the form owner/name")
	}
	header := http.Header{"Accept": {"application/vnd.github+json"}, "X-Github-Api-Version": {"2022-11-28"}}
	if c.Token != "" {
		header.Set("Authorization", "Bearer "+c.Token)
	}
	client, err := ask.New("github", cmp.Or(c.URL, publicAPI), header)
	return &Source{c, client}, err
}

// Name is the repository's.
func (s *Source) Name() string { return "github " + s.config.Repository }

// Tells is what it knows about.
func (*Source) Tells() []incidents.ClueKind {
	return []incidents.ClueKind{incidents.ClueChange}
}

// Ask asks for commits, deployments and releases at the same time.
func (s *Source) Ask(ctx context.Context, q diagnostics.Question) (diagnostics.Answer, error) {
	return ask.Changes(ctx, q, s.config.Service, s.commits, s.deployments, s.releases)
}

func (s *Source) get(ctx context.Context, what string, query url.Values, into any) error {
	query.Set("per_page", strconv.Itoa(ask.Page))
	return s.client.Get(ctx, "/repos/"+s.config.Repository+what, query, into)
}

// https://docs.github.com/en/rest/commits/commits#list-commits
func (s *Source) commits(ctx context.Context, from, to time.Time) ([]diagnostics.Change, error) {
	var said []struct {
		SHA    string
		Link   string `json:"html_url"`
		Commit struct {
			Message           string
			Author, Committer struct {
				Name string
				Date time.Time
			}
		}
	}
	err := s.get(ctx, "/commits", url.Values{"since": {from.UTC().Format(time.RFC3339)}, "until": {to.UTC().Format(time.RFC3339)}}, &said)
	var all []diagnostics.Change
	for _, c := range said {
		title, _, _ := strings.Cut(c.Commit.Message, "\n")
		all = append(all, diagnostics.Change{At: c.Commit.Committer.Date, Title: title, By: c.Commit.Author.Name, URL: c.Link, Revision: c.SHA})
	}
	return all, err
}

// https://docs.github.com/en/rest/deployments/deployments#list-deployments: the
// latest first. It takes no time to begin at.
func (s *Source) deployments(ctx context.Context, _, _ time.Time) ([]diagnostics.Change, error) {
	query := url.Values{}
	if s.config.Environment != "" {
		query.Set("environment", s.config.Environment)
	}
	var said []struct {
		SHA, Ref, Environment string
		CreatedAt             time.Time `json:"created_at"`
		Creator               struct{ Login string }
	}
	err := s.get(ctx, "/deployments", query, &said)
	var all []diagnostics.Change
	for _, d := range said {
		all = append(all, diagnostics.Change{At: d.CreatedAt, Title: d.Ref + " → " + d.Environment, By: d.Creator.Login, Revision: d.SHA})
	}
	return all, err
}

// https://docs.github.com/en/rest/releases/releases#list-releases; a draft has not
// been published.
func (s *Source) releases(ctx context.Context, _, _ time.Time) ([]diagnostics.Change, error) {
	var said []struct {
		Tag         string `json:"tag_name"`
		Name        string
		Link        string     `json:"html_url"`
		PublishedAt *time.Time `json:"published_at"`
		Author      struct{ Login string }
	}
	err := s.get(ctx, "/releases", url.Values{}, &said)
	var all []diagnostics.Change
	for _, r := range said {
		if r.PublishedAt != nil {
			all = append(all, diagnostics.Change{At: *r.PublishedAt, Title: cmp.Or(r.Name, r.Tag), By: r.Author.Login, URL: r.Link, Revision: r.Tag})
		}
	}
	return all, err
}
