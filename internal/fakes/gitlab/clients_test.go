package gitlab_test

import (
	"testing"
	"time"

	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/gitlab"
	"github.com/hikeshi-ops/hikeshi/internal/fakes/lies"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

// The usual client for Node is content with this GitLab: it is not only shaped
// to our requests.
func TestTheUsualClient(t *testing.T) {
	t.Parallel()
	s := fake.New(func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) })
	s.Files["docs/disk full.md"], s.Files["next:docs/disk full.md"] = "# Disk full", "# Disk full, next"
	s.Tell(lies.SlowDown, 1, "GET", "/labels", "1") // the client asks again
	server := s.Start()
	t.Cleanup(server.Close)
	out := testenv.Node(t, "testdata/client.js", []string{"GITLAB_URL=" + server.URL, "GITLAB_TOKEN=" + fake.Token, "GITLAB_PROJECT=" + fake.Project})
	if want := `me 7 bot active
project 5 ops/incidents true
members joe,bea
made 1 opened hikeshi,severity::1 joe bot ops/incidents#1
page Till {"total":2,"next":2,"current":1,"previous":null,"perPage":1,"totalPages":2}
pages Till,Stock
found 1
closed closed hikeshi,done true
closed ones 1
reopened opened 
note looked at it false Issue
notes assigned to @joe,looked at it
states closed,reopened
labels add hikeshi,add severity::1,remove severity::1,add done
sent postmortem true true
linked 2 1 relates_to
links 2
linked twice 409 Issue(s) already assigned
linked to none 404 No matching issue found. Make sure that you are adding a valid issue URL.
file # Disk full
on a branch # Disk full, next
no file 404 404 File Not Found
no branch 404 404 Commit Not Found
no issue 404 404 Not found
no project 404 404 Project Not Found
no title 400 {"title":["can't be blank or too long (maximum is 255 characters)"]}
nothing 400 at least one parameter must be provided
nobody 401 401 Unauthorized
after a 429 0
`; out != want {
		t.Errorf("the client saw\n%swant\n%s", out, want)
	}
	for _, w := range s.Wrongs() {
		t.Error(w)
	}
}
