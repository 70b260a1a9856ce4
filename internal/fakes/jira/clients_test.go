package jira_test

import (
	"slices"
	"testing"
	"time"

	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/jira"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

// The usual client for Node is content with both flavours of this Jira: it is
// not only shaped to our requests.
func TestTheUsualClient(t *testing.T) {
	t.Parallel()
	for flavour, own := range map[string]struct{ me, search string }{
		fake.Cloud: {"me Bot 557058:bot true\nserver Cloud\n", `found bare id,id
the old search 410 The requested API has been removed. Please migrate to the /rest/api/3/search/jql API.
`},
		fake.DataCenter: {"me Bot bot true\nserver Server\n", "the new search 404 null for uri: /rest/api/2/search/jql\n"},
	} {
		t.Run(flavour, func(t *testing.T) {
			t.Parallel()
			s := fake.New(flavour, func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) })
			s.Subtasks, s.Required = true, map[string]string{"customfield_10050": "Team"}
			s.Lies(fake.SlowDown, 1, "GET", "OPS-98", "5")
			server := s.Start()
			t.Cleanup(server.Close)
			out := testenv.Node(t, "testdata/client.js", []string{"JIRA_URL=" + server.URL, "JIRA_FLAVOUR=" + flavour, "JIRA_MAIL=" + fake.Mail, "JIRA_TOKEN=" + fake.Token})
			if want := own.me + asked + own.search + done; out != want {
				t.Errorf("the client saw\n%swant\n%s", out, want)
			}
			if links := s.Links(); !slices.Equal(links, [][2]string{{"OPS-1", "OPS-3"}}) {
				t.Errorf("linked %v", links)
			}
			for _, w := range s.Wrongs() {
				t.Error(w)
			}
		})
	}
}

// What the client sees in both flavours, before it searches and after.
const (
	asked = `project OPS Operations
rights ADMINISTER false,CREATE_ISSUES true
statuses To Do new,In Progress indeterminate,In Review indeterminate,Closed done
types 3 10001 Task,10002 Incident,10003 Sub-task
wanted customfield_10050,issuetype,project,summary
made OPS-1
got OPS-1 OPS Incident High To Do new hikeshi+till Web ops nobody
property {"hikeshi":{"incident":7}}
below OPS-2 Look
above OPS-1 parent,summary
`
	done = `found OPS-1 Till,OPS-3 Stock
edited Till 3 hikeshi+late Bea
ways Start→In Progress false,Done→Closed false
wants Resolution Won't Do/Done
no resolution 400 resolution: Resolution is required.
no way 400 It seems that you have tried to perform a workflow operation (99) that is not valid for the current state of this issue.
closed Closed Done nobody
changes Bot status Closed,Bot assignee nobody,Bot assignee bea
comment looked at it Bot true
comments 2 1 again
latest again,looked at it [{"key":"hikeshi","value":1}]
linked once true
links hikeshi=1 the room true
attached 報告.md 6 Bot
kept 報告.md true
no issue 404 Issue does not exist or you do not have permission to see it.
no project 404 No project could be found with key 'NONE'.
no summary 400 customfield_10050: Team is required.; summary: You must specify a summary of the issue.
no priority 400 priority: The priority selected is invalid.
no such user 400 assignee: User 'none' cannot be assigned issues.
empty comment 400 comment: Comment body is empty or too long!
too fast 429 5
nobody 401 Client must be authenticated to access this resource.
`
)
