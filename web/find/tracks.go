package find

import (
	"encoding/binary"
	"errors"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// followed is one row of News.Tracks: an alert, and all that was known of it
// once the event had happened.
type followed struct {
	fp    incidents.Key
	track incidents.Track
}

var errTracks = errors.New("an event's tracks cannot be read")

// readTracks reads incidents.AlertSet's binary form in order: of each alert 16
// bytes of fingerprint, the start as a varint, and for the end, the expiry and
// the lapse 0, or 1 and a varint on top of the start. Events are never rewritten,
// so the form stands; AlertSet itself reads it only into a map three times the
// size of what is wanted here.
func readTracks(b []byte) ([]followed, error) {
	all := make([]followed, 0, len(b)/24)
	for len(b) > 0 {
		var f followed
		if len(b) < len(f.fp) {
			return nil, errTracks
		}
		b = b[copy(f.fp[:], b):]
		fired, n := binary.Varint(b)
		if n <= 0 {
			return nil, errTracks
		}
		f.track.FiredAt, b = fired, b[n:]
		for _, field := range []*int64{&f.track.EndedAt, &f.track.ExpiresAt, &f.track.LapsedAt} {
			if len(b) == 0 {
				return nil, errTracks
			}
			set := b[0]
			if b = b[1:]; set == 0 {
				continue
			}
			d, n := binary.Varint(b)
			if n <= 0 {
				return nil, errTracks
			}
			*field, b = fired+d, b[n:]
		}
		all = append(all, f)
	}
	return all, nil
}
