package find

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// play is what may happen, in any order.
type play struct {
	w      *world
	f      *Finder
	starts map[string]time.Time
}

var services = []string{"checkout", "search", "edge"}

func (p *play) pick(t *rapid.T) (service, pod string) {
	return rapid.SampledFrom(services).Draw(t, "service"), fmt.Sprintf("pod-%d", rapid.IntRange(0, 6).Draw(t, "pod"))
}

func (p *play) fire(t *rapid.T) {
	s, pod := p.pick(t)
	p.starts[s+pod] = p.w.now
	p.w.report(t, rapid.IntRange(0, shards-1).Draw(t, "log"), rapid.Bool().Draw(t, "fold"), p.w.alert(s, pod))
}

func (p *play) end(t *rapid.T) {
	s, pod := p.pick(t)
	if at, known := p.starts[s+pod]; known {
		p.w.report(t, 0, true, p.w.ended(s, pod, at))
	}
}

// storm is more than an incident keeps whole, in parts.
func (p *play) storm(t *rapid.T) {
	s, n := rapid.SampledFrom(services).Draw(t, "service"), rapid.IntRange(0, 3).Draw(t, "part")
	var all []incidents.Alert
	for i := range 90 {
		all = append(all, p.w.alert(s, fmt.Sprintf("pod-%d", 100+90*n+i)))
	}
	p.w.report(t, n%shards, true, all...)
}

func (p *play) wait(t *rapid.T) {
	p.w.now = p.w.now.Add(time.Duration(rapid.IntRange(1, 50).Draw(t, "minutes")) * time.Minute)
	for _, s := range p.w.states {
		if s.Status().Open() {
			p.w.command(t, s.ID, incidents.Tick{Name: string(incidents.TimerAlerts)})
		}
	}
}

func (p *play) resolve(t *rapid.T) {
	for _, s := range p.w.states {
		if s.Status().Open() && rapid.Bool().Draw(t, "this") {
			p.w.command(t, s.ID, incidents.Resolve{By: bea})
		}
	}
}

func (p *play) reopen(t *rapid.T) {
	for _, s := range p.w.states {
		if s.Status() == incidents.Resolved && rapid.Bool().Draw(t, "this") {
			p.w.command(t, s.ID, incidents.Reopen{By: bea})
		}
	}
}

func (p *play) ask(t *rapid.T) {
	s, pod := p.pick(t)
	if rapid.Bool().Draw(t, "stormy") {
		pod = fmt.Sprintf("pod-%d", 100+rapid.IntRange(0, 359).Draw(t, "n"))
	}
	q := Query{All: rapid.Bool().Draw(t, "all"), Limit: rapid.IntRange(5, 60).Draw(t, "limit")}
	var fits func(incidents.Labels) bool
	switch rapid.IntRange(0, 2).Draw(t, "by") {
	case 0:
		q.Terms = []Term{{"service", s}}
		fits = func(l incidents.Labels) bool { return l.Get("service") == s }
	case 1:
		q.Terms = []Term{{"service", s}, {"pod", pod}}
		fits = func(l incidents.Labels) bool { return l.Get("service") == s && l.Get("pod") == pod }
	default:
		q.Terms = []Term{{"", "CHECK"}, {"", "Pod-1"}}
		fits = func(l incidents.Labels) bool {
			return l.Get("service") == "checkout" && strings.HasPrefix(l.Get("pod"), "pod-1")
		}
	}
	got, extent := pages(t, p.f, q)
	if want := p.w.naive(fits, q.All); !slices.Equal(got, want) {
		t.Fatalf("%v, all %v:\ngot  %q\nwant %q", q.Terms, q.All, got, want)
	}
	if !extent.Complete || extent.NotCovered != 0 {
		t.Fatalf("%+v", extent)
	}
}

// counts holds what the index counts to what there is.
func (p *play) counts(t *rapid.T) {
	alerts, used, sought := 0, 0, 0
	for _, h := range p.f.list {
		alerts, used, sought = alerts+len(h.records), used+len(h.labels), sought+h.sought
		bare := 0
		for i := range h.records {
			if h.records[i].where == 0 {
				bare++
			}
		}
		if bare != h.sought {
			t.Fatalf("%s: %d are sought, %d counted", h.id, bare, h.sought)
		}
	}
	if alerts != p.f.alerts || used != p.f.used || sought != p.f.sought {
		t.Fatalf("%d alerts, %d labels, %d sought; counted %d, %d, %d", alerts, used, sought, p.f.alerts, p.f.used, p.f.sought)
	}
}

// Whatever happens, in whatever order, and whenever it is asked, the index
// answers what a look at everything would.
func TestTheIndexAnswersWhatALookAtEverythingWould(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		p := &play{w: w, f: w.finder(), starts: map[string]time.Time{}}
		t.Repeat(map[string]func(*rapid.T){
			"fire": p.fire, "end": p.end, "storm": p.storm, "wait": p.wait, "resolve": p.resolve, "reopen": p.reopen,
			"ask": p.ask, "ask anew": func(*rapid.T) { p.f = w.finder() }, "": p.counts,
		})
		p.ask(t)
	})
}

// Our reader of tracks agrees with the core's: play.ask compares them. Bytes of
// any other kind are refused, not followed.
func TestTracksOfAnotherMakeAreRefused(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.SliceOfN(rapid.Byte(), 1, 200).Draw(t, "bytes")
		if rows, err := readTracks(in); err == nil && len(rows)*20 > len(in) {
			t.Fatalf("%d rows of %d bytes", len(rows), len(in))
		}
	})
}
