package find

import (
	"fmt"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// followed is one row of News.Tracks: an alert, and all that was known of it
// once the event had happened.
type followed struct {
	fp    incidents.Key
	track incidents.Track
}

func readTracks(b []byte) ([]followed, error) {
	all := make([]followed, 0, len(b)/24)
	err := incidents.EachTrack(b, func(fp incidents.Key, t incidents.Track) { all = append(all, followed{fp, t}) })
	if err != nil {
		return nil, fmt.Errorf("read an event's alerts: %w", err)
	}
	return all, nil
}
