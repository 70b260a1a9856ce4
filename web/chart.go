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
	b, err := Pictures{Incidents: s.Incidents, Draw: s.Draw}.chart(r.Context(), inc, r.PathValue("file"))
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

// Loader finds an incident, and its events with a Seq above after.
type Loader interface {
	Load(ctx context.Context, id incidents.ID) (*incidents.Incident, error)
	Events(ctx context.Context, id incidents.ID, after int64, max int) ([]incidents.Event, error)
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
	return p.chart(ctx, s, parts[4])
}

// chart draws the incident's chart of that file name: "2.png" is its second one,
// "e17-2.png" that of its event 17.
func (p Pictures) chart(ctx context.Context, s *incidents.Incident, file string) ([]byte, error) {
	name, png := strings.CutSuffix(file, ".png")
	if !png || p.Draw == nil {
		return nil, noChart()
	}
	clues := s.Clues
	if event, rest, of := strings.Cut(name, "-"); of {
		name = rest
		var err error
		if clues, err = p.consulted(ctx, s, event); err != nil {
			return nil, err
		}
	}
	n, err := strconv.Atoi(name)
	if err != nil || n < 1 || n > maxChart {
		return nil, noChart()
	}
	c := incidents.ChartOf(clues, n)
	if c == nil {
		return nil, noChart()
	}
	b, err := p.Draw(c, s.OpenedAt)
	if err != nil {
		return nil, fmt.Errorf("draw chart %d of %s: %w", n, s.ID, err)
	}
	return b, nil
}

// consulted are the clues of the event of that name, "e17".
func (p Pictures) consulted(ctx context.Context, s *incidents.Incident, name string) ([]incidents.Clue, error) {
	digits, is := strings.CutPrefix(name, "e")
	seq, err := strconv.ParseInt(digits, 10, 64)
	if !is || err != nil || seq < 1 || seq > s.Version {
		return nil, noChart()
	}
	events, err := p.Incidents.Events(ctx, s.ID, seq-1, 1)
	if err != nil {
		return nil, fmt.Errorf("read event %d of %s: %w", seq, s.ID, err)
	}
	if len(events) == 0 || events[0].Seq != seq || events[0].Kind != incidents.EventConsulted {
		return nil, noChart()
	}
	return events[0].Clues, nil
}

func noChart() error {
	return incidents.Fail(incidents.NotFound, "web.error.no_chart", "there is no such chart")
}
