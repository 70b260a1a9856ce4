package learning

import "github.com/hikeshi-ops/hikeshi/incidents"

// weightOf is what a thumb down weighs for its reason, in thumbs. The wrong cause
// speaks against the action wherever this alert is. That it is unsafe now says
// nothing about what it mends: the incident itself puts it last (see
// incidents.UnsafeHere), and the next one does not hear of it. What helps slowly,
// or not at the root, still helps.
func weightOf(why incidents.Objection) float64 {
	switch why {
	case incidents.WrongCause:
		return 2
	case incidents.UnsafeNow:
		return 0
	case incidents.TooSlow, incidents.NotTheRoot:
		return 0.5
	}
	return 1
}

// objections counts reasons, in the order of incidents.Objections.
type objections [4]uint16

func (o *objections) add(why incidents.Objection, times int) {
	for i, w := range incidents.Objections() {
		if w == why && (times > 0 && o[i] < 1<<16-1 || times < 0 && o[i] > 0) {
			o[i] += uint16(times)
		}
	}
}

func (o *objections) list() []incidents.Objected {
	var said []incidents.Objected
	for i, why := range incidents.Objections() {
		if o[i] > 0 {
			said = append(said, incidents.Objected{Objection: why, N: int(o[i])})
		}
	}
	return said
}

// object counts a reason where its evidence is shown.
func (m *Model) object(where cell, why incidents.Objection, times int) {
	if t := m.tally(where); t != nil && why != "" {
		t.said.add(why, times)
	}
}
