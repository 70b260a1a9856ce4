package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

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
	b, err := Pictures{Draw: s.Draw}.chart(inc, r.PathValue("file"))
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "image/png")
	h.Set("Cache-Control", "private, max-age=3600")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	_, _ = w.Write(b)
	return nil
}

// Loader finds an incident.
type Loader interface {
	Load(ctx context.Context, id incidents.ID) (*incidents.Incident, error)
}

// Pictures draws what the console shows under the path of a bot.Image, for
// chats that take pictures as files. Who may see a room may see its pictures,
// so it asks for no rights.
type Pictures struct {
	Incidents Loader
	Draw      func(c *incidents.Clue, alert time.Time) ([]byte, error)
}

// PNG draws the picture of that path.
func (p Pictures) PNG(ctx context.Context, path string) ([]byte, error) {
	u, err := url.Parse(path)
	if err != nil {
		return nil, noChart()
	}
	parts := strings.Split(u.Path, "/")
	if len(parts) != 5 || parts[1] != "incidents" || parts[3] != "charts" {
		return nil, noChart()
	}
	id, ok := incidents.ParseID(parts[2])
	if !ok {
		return nil, noIncident()
	}
	s, err := p.Incidents.Load(ctx, id)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, noIncident()
	}
	return p.chart(s, parts[4])
}

// chart draws the incident's chart of that file name, "2.png".
func (p Pictures) chart(s *incidents.Incident, file string) ([]byte, error) {
	name, png := strings.CutSuffix(file, ".png")
	n, err := strconv.Atoi(name)
	if !png || err != nil || n < 1 || n > maxChart || p.Draw == nil {
		return nil, noChart()
	}
	c := s.ChartOf(n)
	if c == nil {
		return nil, noChart()
	}
	b, err := p.Draw(c, s.OpenedAt)
	if err != nil {
		return nil, fmt.Errorf("draw chart %d of %s: %w", n, s.ID, err)
	}
	return b, nil
}

func noChart() error {
	return incidents.Fail(incidents.NotFound, "web.error.no_chart", "there is no such chart")
}
