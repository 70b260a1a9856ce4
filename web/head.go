package web

import (
	"slices"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// headView is what stands above every page of an incident.
type headView struct {
	incidents.Summary
	Age    time.Duration
	Stages []stage
	Tab    string
	Output bool // the reader may see what steps said, and there are runs
}

// stage is one step of an incident's life.
type stage struct {
	Status incidents.Status
	State  string // "done", "now", "next", "skipped"
}

func (s *Server) head(v *visit, inc *incidents.Incident, tab string) headView {
	h := headView{Summary: inc.Summary(), Tab: tab, Stages: stages(inc)}
	h.Output = len(inc.Runs) > 0 && s.may(v, bot.Output, bot.Of(inc.Scope())) == nil
	h.Age = rowOf(h.Summary, s.Now()).Age
	return h
}

// stages are the steps of a life, and how far this one is.
func stages(inc *incidents.Incident) []stage {
	now := inc.Status()
	if now == incidents.Closed {
		now = incidents.Resolved
	}
	ran, verified := len(inc.Runs) > 0, false
	for i := range inc.Runs {
		verified = verified || inc.Runs[i].Looks > 0 || !inc.Runs[i].DoneAt.IsZero()
	}
	all := []struct {
		status incidents.Status
		been   bool
	}{
		{incidents.Triggered, true},
		{incidents.Investigating, len(inc.Acks) > 0},
		{incidents.Remediating, ran},
		{incidents.Verifying, verified},
		{incidents.Resolved, false},
	}
	if now == incidents.Monitoring {
		all[3].status, all[3].been = incidents.Monitoring, true
	}
	at := slices.IndexFunc(all, func(st struct {
		status incidents.Status
		been   bool
	}) bool {
		return st.status == now
	})
	out := make([]stage, len(all))
	for i, st := range all {
		out[i] = stage{Status: st.status, State: "next"}
		switch {
		case i == at:
			out[i].State = "now"
		case i < at && st.been:
			out[i].State = "done"
		case i < at:
			out[i].State = "skipped"
		}
	}
	return out
}
