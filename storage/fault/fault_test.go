package fault

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// TestForPeople: each has a code, a sentence of the catalogue and a hint, and
// none tells people what only the log may know.
func TestForPeople(t *testing.T) {
	t.Parallel()
	secret := errors.New("dial tcp 10.0.0.7:6379: refused")
	for _, c := range []struct {
		err  error
		code incidents.Code
	}{
		{Unavailable("load INC-1", errors.Join(secret, io.EOF)), incidents.Unavailable},
		{Overloaded("append"), incidents.Overloaded},
		{NoIncident(7), incidents.NotFound},
		{NoDeadLetter("7/room/slack"), incidents.NotFound},
		{Shards("here", 16, 4), incidents.Invalid},
		{Schema("here", 2, 1), incidents.Invalid},
		{InUse("/data", " (process 7)"), incidents.Conflict},
	} {
		e, ok := errors.AsType[*incidents.Error](c.err)
		if !ok || e.Code != c.code || e.Phrase == "" || e.Message == "" {
			t.Errorf("%v: %+v", c.err, e)
			continue
		}
		if e.Hint == "" && c.code != incidents.NotFound {
			t.Errorf("%v has no hint", c.err)
		}
		if strings.Contains(e.Message+e.Hint, "10.0.0.7") {
			t.Errorf("people are told %q", e.Message)
		}
	}
	if e, _ := errors.AsType[*incidents.Error](NoIncident(7)); e.Message != "there is no such incident" || len(e.Args) > 0 {
		t.Errorf("one that never was can be told from another's: %+v", e)
	}
	err := Unavailable("load INC-1", errors.Join(secret, io.EOF))
	if !errors.Is(err, io.EOF) || !strings.Contains(err.Error(), "load INC-1") || !strings.Contains(err.Error(), "refused") {
		t.Errorf("the log is told %q", err)
	}
}
