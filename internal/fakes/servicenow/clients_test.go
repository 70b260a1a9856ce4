package servicenow_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/internal/fakes/lies"
	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/servicenow"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

// A client that was made of ServiceNow's own description of its Table API is
// content with this one: it is not only shaped to our requests.
func TestSomebodyElsesClient(t *testing.T) {
	t.Parallel()
	s := fake.New(func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) })
	s.Tell(lies.SlowDown, 1, "GET", "/sys_user", "1")
	server := s.Start()
	t.Cleanup(server.Close)
	user, password, _ := strings.Cut(fake.Token, ":")
	out := testenv.Node(t, "testdata/client.js", []string{"SERVICENOW_URL=" + server.URL, "SERVICENOW_USER=" + user, "SERVICENOW_PASSWORD=" + password, "SERVICENOW_JOE=" + fake.Joe})
	if want := `made INC0010001 1 true true
shown New 1 - High joe 
both {"display_value":"New","value":"1"} joe  2
child INC0010002 true
latest INC0010002
children INC0010002
begins INC0010001
in INC0010001,INC0010002
none true
patched In Progress Till
no code 403 Operation Failed failure
put 6 rolled back Till 3
notes INC0010001
journal work_notes looked at it
nobody to assign 400 Invalid reference failure
no record 404 No Record found failure
no table 400 Invalid table nowhere failure
deleted 404 No Record found failure
too fast 429  
nobody 401 User Not Authenticated failure
`; out != want {
		t.Errorf("the client saw\n%swant\n%s", out, want)
	}
	for _, w := range s.Wrongs() {
		t.Error(w)
	}
}
