package sources

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// GitLab answers what is asked of the project web/shop
// (https://docs.gitlab.com/api/commits/, https://docs.gitlab.com/api/deployments/).
func GitLab(t testing.TB, alert time.Time) *Server {
	return start(t, alert, func(s *Server, r *http.Request) answer {
		q := r.URL.Query()
		what, is := strings.CutPrefix(r.URL.EscapedPath(), "/api/v4/projects/web%2Fshop/")
		switch {
		case r.Method != http.MethodGet || !is || q.Get("per_page") != "50":
			return s.refuse(http.StatusNotFound, map[string]string{"message": "404 Project Not Found"}, "gitlab: %s %s", r.Method, r.URL)
		case r.Header.Get("Private-Token") != Token:
			return s.refuse(http.StatusUnauthorized, map[string]string{"message": "401 Unauthorized"}, "gitlab: no token")
		case what == "repository/commits" && iso(q.Get("since")) && iso(q.Get("until")):
			return answer{http.StatusOK, []any{map[string]any{
				"id": "f00d", "title": "gitlab: raise the pool", "author_name": "Ann", "committed_date": alert.Add(-20 * time.Minute).Format("2006-01-02T15:04:05.000-07:00"), "web_url": "https://git.example.com/web/shop/-/commit/f00d",
			}}}
		case what == "deployments" && iso(q.Get("updated_after")) && iso(q.Get("updated_before")) && q.Get("order_by") == "updated_at" && q.Get("environment") == "production":
			return answer{http.StatusOK, []any{map[string]any{
				"id": 41, "ref": "main", "sha": "f00d", "status": "failed", "updated_at": alert.Add(-10 * time.Minute).UTC().Format(time.RFC3339Nano), "user": map[string]any{"name": "Bo"},
				"environment": map[string]any{"name": "production"}, "deployable": nil,
			}}}
		}
		return s.refuse(http.StatusBadRequest, map[string]string{"error": "since is invalid"}, "gitlab: %s", r.URL)
	})
}

func iso(text string) bool {
	_, err := time.Parse(time.RFC3339, text)
	return err == nil
}

// GitHub answers what is asked of the repository acme/shop
// (https://docs.github.com/en/rest).
func GitHub(t testing.TB, alert time.Time) *Server {
	return start(t, alert, func(s *Server, r *http.Request) answer {
		q := r.URL.Query()
		at := func(before time.Duration) string { return alert.Add(-before).UTC().Format(time.RFC3339) }
		what, is := strings.CutPrefix(r.URL.EscapedPath(), "/repos/acme/shop/")
		switch {
		case r.Method != http.MethodGet || !is || q.Get("per_page") != "50":
			return s.refuse(http.StatusNotFound, map[string]string{"message": "Not Found"}, "github: %s %s", r.Method, r.URL)
		case r.Header.Get("Authorization") != "Bearer "+Token || r.Header.Get("X-Github-Api-Version") != "2022-11-28" || r.Header.Get("Accept") != "application/vnd.github+json":
			return s.refuse(http.StatusUnauthorized, map[string]string{"message": "Bad credentials"}, "github: %v", r.Header)
		case what == "commits" && iso(q.Get("since")) && iso(q.Get("until")):
			who := map[string]any{"name": "Cy", "date": at(30 * time.Minute)}
			return answer{http.StatusOK, []any{map[string]any{"sha": "beef", "html_url": "https://github.com/acme/shop/commit/beef", "commit": map[string]any{"message": "github: drop an index\n\nIt was slow.", "author": who, "committer": who}}}}
		case what == "deployments":
			return answer{http.StatusOK, []any{
				map[string]any{"sha": "beef", "ref": "v7", "environment": "production", "created_at": at(25 * time.Minute), "creator": map[string]any{"login": "cy"}},
				map[string]any{"sha": "dead", "ref": "v1", "environment": "production", "created_at": at(999 * time.Hour), "creator": nil},
			}}
		case what == "releases":
			return answer{http.StatusOK, []any{
				map[string]any{"tag_name": "v7", "name": "Seven", "html_url": "https://github.com/acme/shop/releases/v7", "published_at": at(35 * time.Minute), "author": map[string]any{"login": "cy"}},
				map[string]any{"tag_name": "v8", "name": "draft", "published_at": nil},
			}}
		}
		return s.refuse(http.StatusUnprocessableEntity, map[string]string{"message": "Validation Failed"}, "github: %s", r.URL)
	})
}
