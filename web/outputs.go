package web

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Outputs has what the steps of runs said, whole, where that is more than a room shows.
type Outputs interface {
	// Kept are the steps of a run of which there is one, in the order in which they ran.
	Kept(ctx context.Context, run string) ([]KeptOutput, error)
	// Read is what the step said. Whoever reads it is written down before.
	Read(ctx context.Context, who incidents.Actor, run, step string) (string, error)
}

// KeptOutput is one of them.
type KeptOutput struct {
	Step  string `json:"step"`
	Bytes int    `json:"bytes"`
	URL   string `json:"url"`
}

// runOutputs is a run, and what is kept of it.
type runOutputs struct {
	Run   string       `json:"run"`
	Kept  []KeptOutput `json:"kept"`
	title incidents.Text
	lang  string
}

// Title is the run's, in the reader's language.
func (r runOutputs) Title() string { return bot.Title(r.lang, r.title, r.Run) }

// maySee is the incident of the path, where its outputs may be read.
func (s *Server) maySee(r *http.Request, v *visit) (*incidents.Incident, error) {
	id, err := incidentID(r)
	if err != nil {
		return nil, err
	}
	inc, err := s.load(r.Context(), v, id)
	if err != nil {
		return nil, err
	}
	return inc, s.may(v, bot.Output, bot.Of(inc.Scope()))
}

func (s *Server) outputs(ctx context.Context, v *visit, inc *incidents.Incident) ([]runOutputs, error) {
	all := []runOutputs{}
	for i := range inc.Runs {
		run := &inc.Runs[i]
		one := runOutputs{Run: run.ID, Kept: []KeptOutput{}, title: run.Plan.Title, lang: v.lang}
		kept, err := s.Outputs.Kept(ctx, run.ID)
		if err != nil {
			return nil, fmt.Errorf("look for the outputs of %s: %w", run.ID, err)
		}
		for _, k := range kept {
			k.URL = fmt.Sprintf("/api/v1/incidents/%s/outputs/%d/%s", inc.ID, i+1, k.Step)
			one.Kept = append(one.Kept, k)
		}
		all = append(all, one)
	}
	return all, nil
}

func (s *Server) outputsPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	inc, err := s.maySee(r, v)
	if err != nil {
		return err
	}
	all, err := s.outputs(r.Context(), v, inc)
	if err != nil {
		return err
	}
	s.page(w, v, http.StatusOK, "outputs", pageData{Title: inc.ID.String() + " " + bot.Line(inc.Title, 80), Tab: "outputs",
		Body: map[string]any{"Head": s.head(v, inc, "outputs"), "Runs": all}})
	return nil
}

func (s *Server) apiOutputs(w http.ResponseWriter, r *http.Request, v *visit) error {
	inc, err := s.maySee(r, v)
	if err != nil {
		return err
	}
	all, err := s.outputs(r.Context(), v, inc)
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, map[string]any{"runs": all})
	return nil
}

// apiOutput is one output as plain text, which no browser takes for anything else.
func (s *Server) apiOutput(w http.ResponseWriter, r *http.Request, v *visit) error {
	inc, err := s.maySee(r, v)
	if err != nil {
		return err
	}
	run := inc.ID.String() + "/" + r.PathValue("run")
	if inc.Run(run) == nil {
		return incidents.Fail(incidents.NotFound, "error.no_run", "there is no such run", "run", bot.Line(run, 80))
	}
	text, err := s.Outputs.Read(r.Context(), v.person, run, r.PathValue("step"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, text) // the client is gone: nobody to tell
	return nil
}
