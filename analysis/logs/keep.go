package logs

import "slices"

// grow makes a template; if there are too many, the one not seen for longest goes.
func (m *Miner) grow(words []string, home bucket) Match {
	var match Match
	if in := m.buckets[home]; len(in) >= bucketful {
		match.Forgot = m.forget(m.stalest(in))
	} else if len(m.byID) >= m.limits.Templates {
		match.Forgot = m.forget(m.recent.Back().Value.(*template))
	}
	m.last++
	t := &template{id: m.last, words: words, home: home}
	t.place = m.recent.PushFront(t)
	m.byID[t.id] = t
	m.buckets[home] = append(m.buckets[home], t)
	match.ID, match.New = t.id, true
	return match
}

// stalest is the one of these that was not seen for longest.
func (m *Miner) stalest(in []*template) *template {
	for e := m.recent.Back(); e != nil; e = e.Prev() {
		if t := e.Value.(*template); t.home == in[0].home {
			return t
		}
	}
	return in[0]
}

func (m *Miner) forget(t *template) int {
	m.stats.Forgotten++
	m.drop(t)
	return t.id
}

func (m *Miner) drop(t *template) {
	delete(m.byID, t.id)
	m.recent.Remove(t.place)
	for _, key := range t.keys {
		delete(m.seen, key)
	}
	in := m.buckets[t.home]
	if i := slices.Index(in, t); i >= 0 {
		in = slices.Delete(in, i, i+1)
	}
	if len(in) == 0 {
		delete(m.buckets, t.home)
		return
	}
	m.buckets[t.home] = in
}

// merge makes one template, the oldest, of siblings and the words.
func (m *Miner) merge(kin []*template, words []string) Match {
	root := kin[0]
	match := Match{ID: root.id}
	root.soften(words)
	for _, t := range kin[1:] {
		root.soften(t.words)
		m.drop(t)
		m.forwardTo(t.id, root.id)
		match.Absorbed = append(match.Absorbed, t.id)
	}
	m.recent.MoveToFront(root.place)
	return match
}

func (m *Miner) forwardTo(from, to int) {
	if len(m.order) >= forwards*m.limits.Templates {
		delete(m.forward, m.order[0])
		m.order = m.order[1:]
	}
	m.forward[from] = to
	m.order = append(m.order, from)
}
