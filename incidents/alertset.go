package incidents

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Track is what we know of one alert of an incident: registers, each the
// latest news of its kind. Because they only ever grow, reports may come
// twice, late or in any order and the result is the same. A term belongs to
// the episode it was given for: news of a later episode replaces it.
type Track struct {
	FiredAt   int64 // ns since 1970: start of the latest episode heard of
	EndedAt   int64 // ns: the latest end heard of; 0 for none
	ExpiresAt int64 // ns: the latest episode lapses then, unless repeated; 0 for never
	LapsedAt  int64 // ns: the expiry at which we took it for ended; a later repetition revives it
}

// Firing says whether the latest episode has neither ended nor lapsed.
func (t Track) Firing() bool {
	return t.FiredAt > t.EndedAt && (t.LapsedAt == 0 || t.ExpiresAt > t.LapsedAt)
}

// expiry is when a firing alert lapses, 0 for never.
func (t Track) expiry() int64 {
	if t.Firing() {
		return t.ExpiresAt
	}
	return 0
}

// join merges news into t.
func (t Track) join(n Track) Track {
	switch {
	case n.FiredAt > t.FiredAt:
		t.FiredAt, t.ExpiresAt, t.LapsedAt = n.FiredAt, n.ExpiresAt, n.LapsedAt
	case n.FiredAt == t.FiredAt:
		t.ExpiresAt = max(t.ExpiresAt, n.ExpiresAt)
		t.LapsedAt = max(t.LapsedAt, n.LapsedAt)
	}
	t.EndedAt = max(t.EndedAt, n.EndedAt)
	return t
}

// MaxTracked bounds the alerts whose state an incident follows one by one, so
// that the largest incident stays below 4 MiB. Beyond it alerts are counted in
// Incident.Untracked and said on the card; such an incident is resolved by a
// person.
const MaxTracked = 50_000

// AlertSet follows every alert of an incident by its fingerprint.
type AlertSet struct {
	tracks map[Key]Track
	firing int
	latest int64 // ns: the latest start heard of
}

// Len is the number of alerts ever seen, Firing of those firing now.
func (s *AlertSet) Len() int    { return len(s.tracks) }
func (s *AlertSet) Firing() int { return s.firing }

// Get returns the track of one alert.
func (s *AlertSet) Get(fp Key) (Track, bool) {
	t, ok := s.tracks[fp]
	return t, ok
}

// news says what a report of an alert would change at time now (ns). That an
// alert merely goes on is worth writing down only when what is written would
// otherwise run out soon: less than half of the new term is left of the old.
func (s *AlertSet) news(fp Key, a *Alert, now int64) (t Track, changed bool) {
	n := Track{FiredAt: nanos(a.StartsAt)}
	if a.Resolved {
		n.EndedAt = nanos(a.EndsAt)
	} else {
		n.ExpiresAt = nanos(a.EndsAt)
	}
	old, known := s.tracks[fp]
	t = old.join(n)
	changed = !known || t.FiredAt != old.FiredAt || t.EndedAt != old.EndedAt || t.Firing() != old.Firing() ||
		t.Firing() && t.ExpiresAt > old.ExpiresAt && old.ExpiresAt-now < (t.ExpiresAt-now)/2
	return t, changed
}

// set stores a track and keeps the count.
func (s *AlertSet) set(fp Key, t Track) {
	if s.tracks == nil {
		s.tracks = make(map[Key]Track)
	}
	if s.tracks[fp].Firing() {
		s.firing--
	}
	if t.Firing() {
		s.firing++
	}
	s.tracks[fp] = t
	s.latest = max(s.latest, t.FiredAt)
}

// earliestFiringAfter is the earliest start among alerts firing since after t.
func (s *AlertSet) earliestFiringAfter(t int64) int64 {
	var first int64
	for _, a := range s.tracks {
		if a.Firing() && a.FiredAt > t && (first == 0 || a.FiredAt < first) {
			first = a.FiredAt
		}
	}
	return first
}

// lastEnd is the latest end heard of.
func (s *AlertSet) lastEnd() int64 {
	var last int64
	for _, t := range s.tracks {
		last = max(last, t.EndedAt)
		if t.LapsedAt > 0 && !t.Firing() {
			last = max(last, t.LapsedAt)
		}
	}
	return last
}

// nextExpiry is the earliest moment at which a firing alert expires; zero for none.
func (s *AlertSet) nextExpiry() time.Time {
	var next int64
	for _, t := range s.tracks {
		if at := t.expiry(); at > 0 && (next == 0 || at < next) {
			next = at
		}
	}
	return fromNanos(next)
}

// trackEntry is one row of the binary form: 16 bytes of key, then varints.
type trackEntry struct {
	fp    Key
	track Track
}

func appendTrack(dst []byte, e trackEntry) []byte {
	dst = append(dst, e.fp[:]...)
	dst = binary.AppendVarint(dst, e.track.FiredAt)
	// Ends and expiries lie near the start: as differences they take half the room.
	dst = appendDelta(dst, e.track.FiredAt, e.track.EndedAt)
	dst = appendDelta(dst, e.track.FiredAt, e.track.ExpiresAt)
	return appendDelta(dst, e.track.FiredAt, e.track.LapsedAt)
}

func appendDelta(dst []byte, base, v int64) []byte {
	if v == 0 {
		return append(dst, 0)
	}
	return binary.AppendVarint(append(dst, 1), v-base)
}

// encodeTracks writes the changed alerts ordered by fingerprint: equal news,
// equal bytes.
func encodeTracks(s *AlertSet) []byte {
	if len(s.tracks) == 0 {
		return nil
	}
	entries := make([]trackEntry, 0, len(s.tracks))
	for k, v := range s.tracks {
		entries = append(entries, trackEntry{k, v})
	}
	slices.SortFunc(entries, func(a, b trackEntry) int { return slices.Compare(a.fp[:], b.fp[:]) })
	out := make([]byte, 0, 32*len(entries))
	for _, e := range entries {
		out = appendTrack(out, e)
	}
	return out
}

func decodeTracks(b []byte) ([]trackEntry, error) {
	out := make([]trackEntry, 0, len(b)/24)
	err := EachTrack(b, func(fp Key, t Track) { out = append(out, trackEntry{fp, t}) })
	return out, err
}

// EachTrack reads what an event says of its alerts (see News): each one's
// fingerprint and all that was known of it once the event had happened.
func EachTrack(b []byte, f func(fp Key, t Track)) error {
	for len(b) > 0 {
		var fp Key
		if len(b) < len(fp) {
			return fmt.Errorf("decode tracks: %w", errTruncatedRecord)
		}
		b = b[copy(fp[:], b):]
		fired, n := binary.Varint(b)
		if n <= 0 {
			return fmt.Errorf("decode tracks: %w", errTruncatedRecord)
		}
		b = b[n:]
		t := Track{FiredAt: fired}
		for _, field := range []*int64{&t.EndedAt, &t.ExpiresAt, &t.LapsedAt} {
			if len(b) == 0 {
				return fmt.Errorf("decode tracks: %w", errTruncatedRecord)
			}
			set := b[0]
			b = b[1:]
			if set == 0 {
				continue
			}
			d, n := binary.Varint(b)
			if n <= 0 {
				return fmt.Errorf("decode tracks: %w", errTruncatedRecord)
			}
			*field, b = fired+d, b[n:]
		}
		f(fp, t)
	}
	return nil
}

// MarshalJSON writes the binary form in base64.
func (s AlertSet) MarshalJSON() ([]byte, error) { return quoted(encodeTracks(&s)), nil }

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *AlertSet) UnmarshalJSON(in []byte) error {
	var b []byte
	if err := json.Unmarshal(in, &b); err != nil {
		return fmt.Errorf("decode alert set: %w", err)
	}
	entries, err := decodeTracks(b)
	if err != nil {
		return err
	}
	*s = AlertSet{tracks: make(map[Key]Track, len(entries))}
	for _, e := range entries {
		if old, twice := s.tracks[e.fp]; twice {
			e.track = old.join(e.track)
		}
		s.set(e.fp, e.track)
	}
	return nil
}

func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func fromNanos(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
