package diagnostics

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Checks are the configured read-only checks; they keep a deadline of their own.
type Checks interface {
	Diagnose(ctx context.Context, s *incidents.Incident) []incidents.Finding
}

// Options of an Investigator.
type Options struct {
	Checks    Checks
	Sources   []Owned
	Catalogue *Catalogue          // nil: nobody knows who depends on what
	Within    time.Duration       // 0: Within
	Early     time.Duration       // what is there after so long is told; 0: Early
	Wait      time.Duration       // before the sources are asked, for what is on its way to them
	Clean     func(string) string // strikes out secrets and control characters
	Now       func() time.Time

	Seldom  func(service, item string) bool // what people found seldom useful; nil: nobody said
	Claimed func(service string) string     // the customer who has it, by its name alone; nil: there are none
}

// The usual times.
const (
	Within = 10 * time.Second
	Early  = 1500 * time.Millisecond
)

// Investigator asks everybody. It is safe for concurrent use.
type Investigator struct{ Options }

// New makes one.
func New(o Options) *Investigator {
	if o.Within <= 0 {
		o.Within = Within
	}
	if o.Early <= 0 {
		o.Early = Early
	}
	return &Investigator{o}
}

// report is what one source came back with.
type report struct {
	from   int
	answer Answer
	err    error
}

// state is what is known so far.
type state struct {
	findings []incidents.Finding
	checked  bool
	reports  []*report // by source; nil while it has not answered
}

// Diagnose asks everybody about s at the same time. sofar is called after Early,
// when something is there and something is not, and again a while after more came:
// whoever needs a little longer than Early is not kept waiting by the dead.
func (v *Investigator) Diagnose(ctx context.Context, s *incidents.Incident, sofar func(incidents.Diagnosed)) incidents.Diagnosed {
	v = v.about(s)
	q := ask(s, v.Now().Add(v.Wait))
	asking, cancel := context.WithTimeout(ctx, v.Within)
	defer cancel()
	checked := make(chan []incidents.Finding, 1)
	reports := make(chan report, len(v.Sources)) // so that whoever is late finds room, and goes
	go func() { checked <- v.checks(ctx, s) }()
	for i := range v.Sources {
		go func() { reports <- v.one(asking, i, q) }()
	}
	early, armed := time.NewTimer(v.Early), true
	defer early.Stop()
	came := func() {
		if !armed {
			early.Reset(v.Early / 3)
			armed = true
		}
	}
	st := state{reports: make([]*report, len(v.Sources))}
	for open, late := len(v.Sources), asking.Done(); open > 0 || !st.checked; {
		select {
		case st.findings = <-checked:
			st.checked = true
			came()
		case r := <-reports:
			open--
			st.reports[r.from] = &r
			came()
		case <-early.C:
			armed = false
			if part := v.said(q, &st, false); len(part.Findings)+len(part.Clues) > 0 {
				sofar(part)
			}
		case <-late:
			open, late = 0, nil // the checks still tell what became of them
			drain(reports, &st)
		}
	}
	return v.said(q, &st, true)
}

// checks asks the checks; that they panic is their own trouble, and is said.
func (v *Investigator) checks(ctx context.Context, s *incidents.Incident) (found []incidents.Finding) {
	defer func() {
		if e := recover(); e != nil {
			found = []incidents.Finding{{Check: "checks", Value: v.Clean(fmt.Sprintf("panic: %v", e))}}
		}
	}()
	return v.Checks.Diagnose(ctx, s)
}

// drain takes what was answered at the last moment.
func drain(reports chan report, st *state) {
	for {
		select {
		case r := <-reports:
			st.reports[r.from] = &r
		default:
			return
		}
	}
}

// one asks one source; that it panics is its own trouble.
func (v *Investigator) one(ctx context.Context, i int, q Question) (r report) {
	r.from = i
	defer func() {
		if e := recover(); e != nil {
			r.err = fmt.Errorf("panic: %v", e)
		}
	}()
	if v.Wait > 0 {
		select {
		case <-time.After(v.Wait):
		case <-ctx.Done():
			return report{from: i, err: ctx.Err()}
		}
	}
	r.answer, r.err = v.Sources[i].Ask(ctx, q)
	return r
}

// said turns what is known into findings and clues. A source that has not
// answered is missed at the end only.
func (v *Investigator) said(q Question, st *state, end bool) incidents.Diagnosed {
	var all Answer
	var missing, late []incidents.Clue
	for i, r := range st.reports {
		name := v.Sources[i].Name()
		switch {
		case r == nil && end:
			late = append(late, v.late(name))
		case r == nil:
		case errors.Is(r.err, context.DeadlineExceeded):
			late = append(late, v.late(name))
		case r.err != nil:
			missing = append(missing, v.failed(name, r.err))
		}
		if r == nil {
			continue
		}
		all.Join(r.answer.from(v.Sources[i], v.Claimed))
		if n := r.answer.Left; n > 0 {
			missing = append(missing, incidents.Clue{Kind: incidents.ClueMissing, Source: name, Says: incidents.Because("clue.missing.cut", "n", fmt.Sprint(n))})
		}
	}
	services := v.Catalogue.With(all.Services).Of(q.Incident.Customer, v.Claimed)
	clues := bounded(slices.Concat(v.moved(q, all.Series), v.logged(all.Logs), changed(q, all.Changes, services), all.Clues, services.clues(q.Incident.Service), late, missing))
	for i := range clues {
		c := &clues[i]
		c.Title, c.Detail = v.Clean(c.Title), v.Clean(c.Detail)
		for name, word := range c.Says.Args {
			c.Says.Args[name] = v.Clean(word)
		}
	}
	return v.folded(q.Incident.Service, incidents.Diagnosed{Findings: slices.Clone(st.findings), Clues: clues})
}

// folded marks what people found seldom useful for the service: it stands last,
// and is shown on demand.
func (v *Investigator) folded(service string, d incidents.Diagnosed) incidents.Diagnosed {
	if v.Seldom == nil {
		return d
	}
	seldom := func(item string) bool { return item != "" && v.Seldom(service, item) }
	for i := range d.Findings {
		d.Findings[i].Folded = seldom(d.Findings[i].Item())
	}
	for i := range d.Clues {
		d.Clues[i].Folded = seldom(d.Clues[i].Item)
	}
	return d
}

// bounded says how many are left out where there are more than an incident keeps.
func bounded(clues []incidents.Clue) []incidents.Clue {
	over := len(clues) - incidents.MaxClues
	if over <= 0 {
		return clues
	}
	return append(clues[:incidents.MaxClues-1], incidents.Clue{Kind: incidents.ClueMissing, Title: "+" + strconv.Itoa(over+1), Says: incidents.Because("clue.missing.more", "n", strconv.Itoa(over+1))})
}

func (v *Investigator) late(source string) incidents.Clue {
	return incidents.Clue{Kind: incidents.ClueMissing, Source: source, Says: incidents.Because("clue.missing.late", "within", v.Within.String())}
}

func (v *Investigator) failed(source string, err error) incidents.Clue {
	says := incidents.Because("clue.missing.failed", "error", err.Error())
	if bad, ok := errors.AsType[*incidents.Error](err); ok && bad.Phrase != "" {
		says = incidents.Reason{Phrase: bad.Phrase, Args: bad.Args}
	}
	return incidents.Clue{Kind: incidents.ClueMissing, Source: source, Says: says}
}
