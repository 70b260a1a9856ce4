package incidents

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A follow-up is written, done and opened again, also after the closing; saying
// it twice says it once.
func TestFollowUps(t *testing.T) {
	t.Parallel()
	st := opened(t, Rule{Reopen: time.Minute})
	st.must(AddTodo{By: bea, Text: "raise the limit"}, minute(1))
	if got := st.must(AddTodo{By: abe, Text: "raise the limit"}, minute(1)); len(got) != 0 {
		t.Error("twice:", got)
	}
	st.must(Resolve{By: bea}, minute(2))
	st.pass(minute(10))
	if st.s.Status() != Closed {
		t.Fatal(st.s.Status())
	}
	st.must(AddTodo{By: bea, Text: "alert sooner"}, minute(11))
	st.must(EndTodo{By: abe, N: 1}, minute(12))
	st.must(EndTodo{By: abe, N: 2}, minute(12))
	st.must(EndTodo{By: abe, N: 2, Open: true}, minute(13))
	if got := st.must(EndTodo{By: abe, N: 2, Open: true}, minute(13)); len(got) != 0 {
		t.Error("twice:", got)
	}
	st.must(DropTodo{By: bea, N: 2, Why: "the pool goes"}, minute(13))
	if got := st.must(DropTodo{By: abe, N: 2}, minute(13)); len(got) != 0 {
		t.Error("twice:", got)
	}
	if d := st.s.Todos[1]; d.Dropped == nil || d.Dropped.By != bea || d.Why != "the pool goes" || d.Done != nil || d.Opened != nil {
		t.Errorf("%+v", d)
	}
	st.must(EndTodo{By: abe, N: 2}, minute(13)) // somebody did it all the same
	if _, _, err := Advance(st.s, DropTodo{By: bea, N: 2}, minute(13), Policy{}); CodeOf(err) != Conflict {
		t.Error("what is done is dropped:", err)
	}
	st.must(EndTodo{By: abe, N: 2, Open: true}, minute(13))
	st.must(DropTodo{By: bea, N: 2, Why: "the pool goes"}, minute(13))
	st.must(AddTodo{By: bea, Text: "alert sooner"}, minute(13)) // wanted after all: the same one, open
	if d := st.s.Todos[1]; d.Ended() || d.Opened == nil || d.Why != "" {
		t.Errorf("%+v", d)
	}
	todos := st.s.Todos
	if len(todos) != 2 || todos[0].Done == nil || todos[0].Done.By != abe || todos[1].Done != nil || todos[1].Text != "alert sooner" || todos[1].Added.By != bea {
		t.Errorf("%+v", todos)
	}
	for _, c := range []struct {
		cmd  Command
		want Code
	}{{AddTodo{By: bea}, Invalid}, {EndTodo{By: bea, N: 3}, NotFound}, {EndTodo{By: bea}, NotFound}, {DropTodo{By: bea, N: 3}, NotFound}} {
		if _, _, err := Advance(st.s, c.cmd, minute(14), Policy{}); CodeOf(err) != c.want {
			t.Errorf("%+v: %v", c.cmd, err)
		}
	}
	long := strings.Repeat("x", MaxTodo+1) // nothing is cut unsaid
	st.refused(AddTodo{By: bea, Text: long}, minute(14), "error.todo_long")
	st.refused(DropTodo{By: bea, N: 2, Why: long}, minute(14), "error.todo_long")
	for i := range MaxTodos - 3 {
		st.must(AddTodo{By: bea, Text: fmt.Sprint("todo ", i)}, minute(15))
	}
	st.must(AddTodo{By: bea, Text: long[1:]}, minute(15))
	if _, _, err := Advance(st.s, AddTodo{By: bea, Text: "and one more"}, minute(16), Policy{}); CodeOf(err) != TooLarge {
		t.Error(err)
	}
	if _, _, err := Advance(&Incident{}, AddTodo{By: bea, Text: "x"}, noon, Policy{}); CodeOf(err) != NotFound {
		t.Error("of no incident:", err)
	}
}
