package crash

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
	_ "modernc.org/sqlite" // to read the rooms as they stand in the file

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage"
	"github.com/hikeshi-ops/hikeshi/storage/sqlite"
)

// unfit says what is not yet as it should be at the end, as the API tells it;
// "" when all is well.
func (s *story) unfit(ctx context.Context) (string, error) {
	var page struct{ Incidents []seen }
	if err := s.get(ctx, "/api/v1/incidents?limit=100", &page); err != nil {
		return "", err
	}
	for _, service := range slices.Concat(remedied, []string{quiet}, burning) {
		at := slices.IndexFunc(page.Incidents, func(i seen) bool { return i.Service == service })
		if at < 0 {
			return service + " has no incident", nil
		}
		var one struct{ Incident seen }
		if err := s.get(ctx, fmt.Sprintf("/api/v1/incidents/%d", page.Incidents[at].ID), &one); err != nil {
			return "", err
		}
		if why := unfitIncident(service, &one.Incident); why != "" {
			return fmt.Sprintf("%s (%s) %s", service, one.Incident.ID, why), nil
		}
	}
	if ready, err := s.once(ctx, http.MethodGet, "/readyz", "", "", nil); err != nil || ready.status != http.StatusOK {
		return fmt.Sprintf("readyz answers %d %s", ready.status, ready.body), nil
	}
	return s.waiting(ctx)
}

func unfitIncident(service string, i *seen) string {
	if len(i.Rooms) != 1 {
		return fmt.Sprintf("has %d rooms", len(i.Rooms))
	}
	switch {
	case service == quiet:
		if i.Status != incidents.Closed {
			return "is " + string(i.Status) + ", not closed"
		}
		return ""
	case slices.Contains(burning, service):
		if !i.Status.Open() || i.NoAction.Phrase == "" || service == burning[0] && i.AckedBy == "" {
			return fmt.Sprintf("is %s, acknowledged by %q, without an action because of %q", i.Status, i.AckedBy, i.NoAction.Phrase)
		}
		return ""
	}
	if len(i.Runs) == 0 {
		return "has no run"
	}
	switch r := i.Runs[len(i.Runs)-1]; r.State {
	case incidents.RunVerified:
		if i.Status != incidents.Resolved {
			return "is " + string(i.Status) + " after a verified run"
		}
	case incidents.RunUnknown: // a person is asked, and the story has none who knows
	default:
		return fmt.Sprintf("has a run that is %s %s", r.State, r.Because.Phrase)
	}
	return ""
}

// waiting says what still waits, as the metrics tell it. Timers may.
func (s *story) waiting(ctx context.Context) (string, error) {
	var text string
	if err := s.get(ctx, "/metrics", &text); err != nil {
		return "", err
	}
	known := false
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.ParseFloat(value, 64)
		known = known || name == "hikeshi_intake_unfolded_entries"
		switch {
		case err != nil || n == 0 || strings.Contains(name, `lane="timer"`):
		case strings.HasPrefix(name, "hikeshi_effects_waiting"), strings.HasPrefix(name, "hikeshi_effects_claimed"), name == "hikeshi_intake_unfolded_entries", name == "hikeshi_dead_letters":
			return strings.TrimSpace(line), nil
		}
	}
	if !known {
		return "the metrics say nothing of the backlog", nil
	}
	return "", nil
}

// violations are the laws that are broken, as the store says once the process
// has ended.
func (p place) violations(ctx context.Context, acked map[incidents.Key]bool) ([]string, error) {
	store, err := storage.Open(ctx, storage.Config{URL: p.redis, Dir: filepath.Join(p.dir, "data")})
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	defer store.Close()
	all, err := everyIncident(ctx, store)
	if err != nil {
		return nil, err
	}
	bad := slices.Concat(alertLaws(all, acked), groupLaws(all))
	for _, check := range []func(context.Context, storage.Store, []*incidents.Incident) ([]string, error){p.roomLaws, p.runLaws, queueLaws} {
		more, err := check(ctx, store, all)
		if err != nil {
			return nil, err
		}
		bad = append(bad, more...)
	}
	more, err := p.auditLaws(ctx)
	return append(bad, more...), err
}

func everyIncident(ctx context.Context, store storage.Store) ([]*incidents.Incident, error) {
	var all []*incidents.Incident
	for q := (incidents.Query{Limit: 200}); ; {
		page, err := store.List(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("list incidents: %w", err)
		}
		for _, sum := range page.Incidents {
			s, err := store.Load(ctx, sum.ID)
			if err != nil {
				return nil, fmt.Errorf("load %s: %w", sum.ID, err)
			}
			all = append(all, s)
		}
		if q.Before = page.Next; q.Before == 0 {
			return all, nil
		}
	}
}

// alertLaws: every acknowledged alert is in exactly one incident, in the state
// that was acknowledged last.
func alertLaws(all []*incidents.Incident, acked map[incidents.Key]bool) (bad []string) {
	for fp, resolved := range acked {
		homes := 0
		for _, s := range all {
			if track, ok := s.Alerts.Get(fp); ok {
				homes++
				if track.Firing() == resolved {
					bad = append(bad, fmt.Sprintf("alert %s of %s: firing %t, acknowledged as resolved %t", fp, s.Service, track.Firing(), resolved))
				}
			}
		}
		if homes != 1 {
			bad = append(bad, fmt.Sprintf("alert %s was acknowledged and is in %d incidents", fp, homes))
		}
	}
	return bad
}

// groupLaws: at most one open incident per group.
func groupLaws(all []*incidents.Incident) (bad []string) {
	open := map[incidents.Key]*incidents.Incident{}
	for _, s := range all {
		if !s.Status().Open() {
			continue
		}
		if other := open[s.Group]; other != nil {
			bad = append(bad, fmt.Sprintf("%s and %s of %s are open at once", s.ID, other.ID, s.Service))
		}
		open[s.Group] = s
	}
	return bad
}

// roomLaws: exactly one room per incident, each message key in it once, and
// the whole log told.
func (p place) roomLaws(ctx context.Context, store storage.Store, all []*incidents.Incident) (bad []string, err error) {
	want := map[string]bool{}
	for _, s := range all {
		room := s.Rooms["console"]
		if len(s.Rooms) != 1 || room.ID == "" {
			bad = append(bad, fmt.Sprintf("%s has the rooms %v", s.ID, s.Rooms))
			continue
		}
		want[room.ID] = true
		postings, err := store.Postings(ctx, room.ID, 0, 200)
		if err != nil {
			return nil, fmt.Errorf("read room %s: %w", room.ID, err)
		}
		keys := map[string]int{}
		for _, posting := range postings {
			keys[posting.Key]++
		}
		for key := range room.Posted {
			if keys[key] != 1 {
				bad = append(bad, fmt.Sprintf("message %s of %s stands %d times", key, s.ID, keys[key]))
			}
		}
		if keys["card"] != 1 {
			bad = append(bad, fmt.Sprintf("%s has %d cards: %v", s.ID, keys["card"], keys))
		}
	}
	rooms, err := p.rooms(ctx)
	if err != nil {
		return nil, err
	}
	if len(rooms) != len(want) {
		bad = append(bad, fmt.Sprintf("there are %d rooms for %d incidents: %v", len(rooms), len(want), rooms))
	}
	return bad, nil
}

// rooms are all that stand in the store, found behind its back: a room that
// nobody knows of is just what is looked for.
func (p place) rooms(ctx context.Context) ([]string, error) {
	if p.redis != "" {
		url, prefix, _ := strings.Cut(p.redis, "?prefix=")
		o, err := redis.ParseURL(url)
		if err != nil {
			return nil, err
		}
		c := redis.NewClient(o)
		defer c.Close()
		keys, err := c.Keys(ctx, prefix+"*r:*:k").Result()
		if err != nil {
			return nil, fmt.Errorf("list the rooms: %w", err)
		}
		return keys, nil
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(p.dir, "data", sqlite.FileName)+"?mode=ro")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, "SELECT name FROM rooms")
	if err != nil {
		return nil, fmt.Errorf("list the rooms: %w", err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// runLaws: what ran, ran once, was approved, and is known of.
func (p place) runLaws(_ context.Context, _ storage.Store, all []*incidents.Incident) (bad []string, err error) {
	ran, err := p.ran()
	if err != nil {
		return nil, err
	}
	known := map[string]incidents.Run{}
	for _, s := range all {
		used := map[string]string{}
		for _, r := range s.Runs {
			known[r.ID] = r
			if used[r.Approval] != "" {
				bad = append(bad, fmt.Sprintf("approval %s of %s was used by %s and %s", r.Approval, s.ID, used[r.Approval], r.ID))
			}
			used[r.Approval] = r.ID
		}
	}
	for id, times := range ran {
		if _, ok := known[id]; !ok {
			bad = append(bad, fmt.Sprintf("%q ran and nobody knows of it", id))
		}
		if times > 1 {
			bad = append(bad, fmt.Sprintf("%s ran %d times", id, times))
		}
	}
	for id, r := range known {
		switch {
		case r.State == incidents.RunVerified && ran[id] != 1:
			bad = append(bad, fmt.Sprintf("%s is %s and ran %d times", id, r.State, ran[id]))
		case r.State != incidents.RunVerified && r.State != incidents.RunUnknown:
			bad = append(bad, fmt.Sprintf("%s ended as %s", id, r.State))
		}
	}
	return bad, nil
}

// ran counts the executions in the file.
func (p place) ran() (map[string]int, error) {
	b, err := os.ReadFile(p.executions())
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	times := map[string]int{}
	for line := range strings.Lines(string(b)) {
		times[strings.TrimSpace(line)]++
	}
	return times, nil
}

// queueLaws: nothing is stuck. Only timers may wait.
func queueLaws(ctx context.Context, store storage.Store, _ []*incidents.Incident) (bad []string, err error) {
	b, err := store.Backlog(ctx)
	if err != nil {
		return nil, fmt.Errorf("look at the backlog: %w", err)
	}
	if b.Unfolded > 0 || b.Dead > 0 {
		bad = append(bad, fmt.Sprintf("%d entries are not folded, %d effects were given up", b.Unfolded, b.Dead))
	}
	for lane, l := range b.Lanes {
		if lane != incidents.LaneTimer && l.Waiting+l.Claimed > 0 {
			bad = append(bad, fmt.Sprintf("lane %s: %d wait, %d are claimed", lane, l.Waiting, l.Claimed))
		}
	}
	return bad, nil
}
