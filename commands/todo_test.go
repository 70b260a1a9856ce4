package commands

import (
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// What is left to do is written down, listed and ticked off, in both languages'
// words; it stands on the card and in the postmortem.
func TestTodo(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	if got := h.must(bea, "todo"); !strings.Contains(got.Text, "no follow-ups") {
		t.Error(got.Text)
	}
	for _, c := range [][2]string{
		{"todo raise the pool's <limit>", "Follow-up 1 of INC-42 is written down"},
		{"todo raise the pool's <limit>", "on the list of INC-42 already"},
		{"フォローアップ done with the old pool", "Follow-up 2 of INC-42"},
		{"todo 完了 1", "Follow-up 1 of INC-42 is done"},
		{"todo done 2", "Follow-up 2 of INC-42 is done"},
		{"todo open ２", "Follow-up 2 of INC-42 is open again"},
		{"todo drop the cache of names", "Follow-up 3 of INC-42 is written down"},
		{"todo watch the <queue>", "Follow-up 4 of INC-42 is written down"},
		{"todo 取り下げ ４", "Follow-up 4 of INC-42 is dropped"},
		{"todo watch the <queue>", "Follow-up 4 of INC-42 is open again"},
		{"todo drop 3", "Follow-up 3 of INC-42 is dropped"},
		{"todo drop 4 see 4711", "Follow-up 4 of INC-42 is dropped"},
		{"todo reopen 4", "Follow-up 4 of INC-42 is open again"},
		{"todo drop 4 １２ queues go", "Follow-up 4 of INC-42 is dropped"},
		{"todo open ＃4", "Follow-up 4 of INC-42 is open again"},
		{"todo drop #4", "Follow-up 4 of INC-42 is dropped"},
		{"todo open #4", "Follow-up 4 of INC-42 is open again"},
		{"todo Drop 4 the <queue> goes", "Follow-up 4 of INC-42 is dropped"},
	} {
		if got := h.must(bea, c[0]); !strings.Contains(got.Text, c[1]) {
			t.Errorf("%s: %q", c[0], got.Text)
		}
	}
	h.refused(bea, "todo done 7", incidents.NotFound)
	h.refused(bea, "todo drop 7", incidents.NotFound)
	h.refused(bea, "todo drop 1", incidents.Conflict) // it is done
	for _, line := range []string{"done", "done x", "done 1 2", "Done １ ２", "done 99999999999999999999", "open", "reopen", "open x", "完了", "未完了", "drop", "drop 1 2", "drop 1 2 ３", "取り下げ", "drop two", "drop -1", "drop －１ it goes", "drop #", "drop ##1", "drop #-1", "drop 99999999999999999999 it goes", "done -1", "done #", "drop 1 #2"} {
		h.refused(bea, "todo "+line, incidents.Invalid)
	}
	list := h.must(cho, "todo")
	if len(list.Fields) != 4 || !strings.HasPrefix(list.Fields[3].Name, "☒ 4. watch") || !strings.HasPrefix(list.Fields[3].Value, "dropped by bea") || !strings.HasSuffix(list.Fields[3].Value, ": the <queue> goes") || !strings.HasPrefix(list.Fields[0].Name, "☑ 1. raise") || !strings.Contains(list.Fields[0].Value, "done by bea") || list.Fields[1].Name != "☐ 2. done with the old pool" {
		t.Errorf("%+v", list.Fields)
	}
	pm := h.must(bea, "postmortem").Code[0].Text
	if !strings.Contains(pm, "- [x] raise the pool's &lt;limit&gt; (bea)\n- [ ] done with the old pool (bea)\n- drop the cache of names (bea; dropped by bea)\n- watch the &lt;queue&gt; (bea; dropped by bea: the &lt;queue&gt; goes)\n") {
		t.Error(pm)
	}
	card, open := h.must(bea, "status"), 0
	for _, f := range card.Fields {
		if f.Name == "Follow-up" {
			open++
		}
	}
	if open != 3 { // one that is open, how many are done, and how many dropped
		t.Errorf("%+v", card.Fields)
	}
}
