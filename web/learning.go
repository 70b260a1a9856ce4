package web

import (
	"fmt"
	"net/http"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/learning/report"
)

func (s *Server) learningPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	rep, err := s.learned(r, v)
	if err != nil {
		return err
	}
	s.page(w, v, http.StatusOK, "learning", pageData{TitleKey: "web.learning.title", Tab: "learning", Body: rep})
	return nil
}

func (s *Server) apiLearning(w http.ResponseWriter, r *http.Request, v *visit) error {
	rep, err := s.learned(r, v)
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, rep)
	return nil
}

// learned is made of the incidents of everybody: it is for those who may see
// them all.
func (s *Server) learned(r *http.Request, v *visit) (*report.Report, error) {
	if err := s.may(v, bot.View, bot.Overall); err != nil {
		return nil, err
	}
	if s.Learning == nil {
		return nil, incidents.Fail(incidents.NotFound, "web.learning.none", "nothing is learned here")
	}
	rep, err := s.Learning.Report(r.Context())
	if err != nil {
		return nil, fmt.Errorf("make the learning report: %w", err)
	}
	return rep, nil
}

// percent is a share for people, "–" of nothing.
func percent(s report.Share) string {
	if s.Of == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f %%", 100*s.Value())
}
