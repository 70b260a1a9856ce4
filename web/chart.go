package web

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// maxChart bounds a chart's number, so that nothing long is parsed.
const maxChart = incidents.MaxCharts

// chart serves a picture of the investigation to whoever may see its incident.
// Its address changes with what it shows (see bot.Image), so browsers may keep it.
func (s *Server) chart(w http.ResponseWriter, r *http.Request, v *visit) error {
	id, err := incidentID(r)
	if err != nil {
		return err
	}
	inc, err := s.load(r.Context(), v, id)
	if err != nil {
		return err
	}
	name, png := strings.CutSuffix(r.PathValue("file"), ".png")
	n, err := strconv.Atoi(name)
	var c *incidents.Clue
	if png && err == nil && n > 0 && n <= maxChart && s.Draw != nil {
		c = inc.ChartOf(n)
	}
	if c == nil {
		return incidents.Fail(incidents.NotFound, "web.error.no_chart", "there is no such chart")
	}
	b, err := s.Draw(c, inc.OpenedAt)
	if err != nil {
		return fmt.Errorf("draw chart %d of %s: %w", n, id, err)
	}
	h := w.Header()
	h.Set("Content-Type", "image/png")
	h.Set("Cache-Control", "private, max-age=3600")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b)
	return nil
}
