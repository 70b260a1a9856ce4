package history

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

func read(t *testing.T, file string, o Options) *History {
	t.Helper()
	o.Now = now
	h, err := Read(strings.NewReader(file), o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// The exports of other systems are known by their headers.
func TestExportsAreRecognised(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, want string
		o          Options
	}{
		"ours": {"\ufeffopened,resolved,service,labels,action,outcome\n2026-01-01T10:00:00+09:00,2026-01-01T10:30:00+09:00,shop,team=pay;env=prod,restart,failed\n",
			"restart 0 30m0s shop  env=prod,team=pay", Options{}},
		"jira": {"Summary,Issue key,Created,Resolved,Resolution,Priority,Component/s,Component/s,Labels,Labels\nDisk full,OPS-1,01/Feb/26 3:04 PM,01/Feb/26 4:04 PM,Cleaned up,High,db,web,disk,night\n",
			"Cleaned up 1 1h0m0s db Disk full disk=disk,night=night", Options{}},
		"pagerduty": {"id,incident_number,urgency,description,service_name,created_on,resolved_on,note\nP1,7,high,Errors,shop,2026-02-01T10:00:00Z,2026-02-01T10:10:00Z,restarted web\n",
			"restarted web 1 10m0s shop Errors ", Options{Action: "Note"}},
		"json": {`{"opened":1767225600,"resolved":1767229200,"service":"shop","labels":{"team":"pay"},"action":"flush","outcome":true}` + "\n\n",
			"flush 1 1h0m0s shop  team=pay", Options{}},
	} {
		h := read(t, c.file, c.o)
		if len(h.Facts) != 1 || len(h.Problems) != 0 {
			t.Errorf("%s: %+v", name, h)
			continue
		}
		f := h.Facts[0]
		var labels []string
		for _, l := range f.Context.Labels {
			labels = append(labels, l.Name+"="+l.Value)
		}
		if got := fmt.Sprint(f.Action, " ", f.Value, " ", f.Took, " ", f.Context.Service, " ", f.Context.Name, " ", strings.Join(labels, ",")); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if f.Source != Source || len(f.Ref) != 24 {
			t.Errorf("%s: source %q, ref %q", name, f.Source, f.Ref)
		}
	}
}

// Each bad line is refused by its number, and then there are no facts.
func TestBadLinesAreRefusedByNumber(t *testing.T) {
	t.Parallel()
	h := read(t, `opened,resolved,service,action,outcome
2026-01-01,2026-01-02,"two
lines",ok,
soon,2026-01-02,shop,a,
2026-01-02,2026-01-01,shop,a,
2026-01-01,2027-01-01,shop,a,
2026-01-01,2026-01-02,shop,a,perhaps
2026-01-01,,shop,a,
2026-01-01,2026-01-02,shop,,
`, Options{})
	var got []string
	for _, p := range h.Problems {
		got = append(got, fmt.Sprint(p.Line, " ", p.What.Phrase))
	}
	if want := "[4 import.bad_time 5 import.backwards 6 import.future 7 import.bad_outcome]"; fmt.Sprint(got) != want || h.Facts != nil || h.Left != 2 {
		t.Errorf("%v, want %s; %d facts, %d left", got, want, len(h.Facts), h.Left)
	}
	if _, err := Read(strings.NewReader("when,what\n1,2\n"), Options{Now: now}); err == nil {
		t.Error("a file without the columns is read")
	}
	if h := read(t, "{\"opened\":1,\n{}\n", Options{}); len(h.Problems) != 2 {
		t.Errorf("broken JSON: %+v", h.Problems)
	}
}

// The same line has the same name, and another one another.
func TestALinesNameDependsOnTheLine(t *testing.T) {
	t.Parallel()
	h := read(t, "opened,resolved,action\n2026-01-01,2026-01-02,a\n2026-01-01,2026-01-02,a\n2026-01-01,2026-01-02,b\n", Options{})
	if len(h.Facts) != 3 || h.Facts[0].Ref != h.Facts[1].Ref || h.Facts[0].Ref == h.Facts[2].Ref {
		t.Errorf("%+v", h.Facts)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("opened,resolved,action\n2026-01-01,2026-01-02,a\n")
	f.Add(`{"opened":1,"resolved":2,"action":"a"}`)
	f.Fuzz(func(t *testing.T, file string) {
		h, err := Read(strings.NewReader(file), Options{Now: now})
		if err == nil && len(h.Problems) > 0 && h.Facts != nil {
			t.Error("facts in spite of a refused line")
		}
	})
}
