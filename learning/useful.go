package learning

import "github.com/hikeshi-ops/hikeshi/incidents"

// What people say of an item of the first investigation, by service: what helps
// with one may be noise with another.
type (
	itemAt struct {
		service incidents.Key
		item    string
	}
	worth struct{ yes, no int }
)

const (
	maxItems   = 20_000 // beyond it what is new is not counted, and Forgotten says so
	seldomFrom = 3      // votes: fewer are somebody's mood
	seldomOver = 3      // so many noes for each yes, and more
)

// useful takes in one vote in the place of the person's last one.
func (m *Model) useful(f *incidents.Fact) {
	if f.Action == "" || f.Value < -1 || f.Value > 1 || f.Was < -1 || f.Was > 1 {
		m.forgotten.Facts++
		return
	}
	at := itemAt{incidents.KeyOf(f.Context.Service), f.Action}
	w, known := m.items[at]
	if !known && len(m.items) >= maxItems {
		m.forgotten.Items++
		return
	}
	w.count(f.Was, -1)
	w.count(f.Value, 1)
	if m.items == nil {
		m.items = map[itemAt]worth{}
	}
	m.items[at] = w
}

func (w *worth) count(value, times int) {
	switch {
	case value > 0:
		w.yes = max(0, w.yes+times)
	case value < 0:
		w.no = max(0, w.no+times)
	}
}

// Seldom says whether people found an item of the first investigation seldom
// useful for a service: at least three said so, and more than three for each who
// said otherwise.
func (m *Model) Seldom(service, item string) bool {
	w := m.items[itemAt{incidents.KeyOf(service), item}]
	return w.yes+w.no >= seldomFrom && w.no > seldomOver*w.yes
}

// Seldom is the model's, as far as it has been learned: an investigation waits for
// no log.
func (s *Service) Seldom(service, item string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.model.Seldom(service, item)
}
