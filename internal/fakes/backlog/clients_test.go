package backlog_test

import (
	"strings"
	"testing"
	"time"

	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/backlog"
	"github.com/hikeshi-ops/hikeshi/internal/fakes/lies"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

// Nulab's own client for Node is content with this Backlog: it is not only
// shaped to our requests.
func TestNulabsOwnClient(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s := fake.New(func() time.Time { return now })
	s.Wikis = []fake.Wiki{{ID: 41, ProjectID: 1, Name: "運用/ディスク", Content: "* 手順", Updated: now}, {ID: 42, ProjectID: 2, Name: "another's"}}
	s.Tell(lies.SlowDown, 1, "GET", "/priorities", "")
	server := s.Start()
	t.Cleanup(server.Close)
	out := testenv.Node(t, "testdata/client.js", []string{"BACKLOG_HOST=" + strings.TrimPrefix(server.URL, "http://"), "BACKLOG_KEY=" + fake.Token, "BACKLOG_PROJECT=" + fake.Project})
	if want := `me 7 bot 2
project 1 OPS backlog true
types 5 タスク,6 障害
statuses 1 未対応 1,2 処理中 1,3 処理済み 1,4 完了 1,50 顧客確認中 1
too fast BacklogApiError 429 13 Rate limit exceeded.
priorities 2 高,3 中,4 低
people bot,Joe,Bea
made OPS-1 1 未対応 高 Joe  0
found OPS-1
open OPS-1,OPS-2
other projects 0
closed 完了 Bea 対応済み
by its number OPS-1
comment looked at it true 0
latest looked at it
later looked at it
changes status 未対応→完了,assigner Joe→Bea
sent postmortem.md 12
kept postmortem.md 12
files postmortem.md of bot
twice BacklogApiError 400 7 attachmentId is invalid.
child OPS-3 true 
grandchild BacklogApiError 400 7 parentIssueId is invalid.
wikis 運用/ディスク undefined
wiki 運用/ディスク * 手順 Bea
searched 運用/ディスク
no wiki BacklogApiError 404 6 No wiki page.
no issue BacklogApiError 404 6 No issue.
no project BacklogApiError 404 6 No project.
no summary BacklogApiError 400 7 summary is invalid.
no status BacklogApiError 400 7 statusId is invalid.
empty comment BacklogApiError 400 7 content is invalid.
nobody BacklogAuthError 401 11 Authentication failure.
`; out != want {
		t.Errorf("the client saw\n%swant\n%s", out, want)
	}
	for _, w := range s.Wrongs() {
		t.Error(w)
	}
}
