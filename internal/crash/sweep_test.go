package crash

import (
	"context"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/internal/failpoint"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

// backend is a store of the sweep.
type backend struct {
	name  string
	redis *testenv.RedisServer // nil: SQLite
}

func backends(t *testing.T) []backend {
	return []backend{{name: "sqlite"}, {name: "redis", redis: testenv.Redis(t)}}
}

var prefixes atomic.Int64

// place makes an empty one.
func (b backend) place(t testing.TB) place {
	p := place{dir: t.TempDir()}
	if b.redis != nil {
		p.redis = fmt.Sprintf("%s?prefix=run%d:", b.redis.URL, prefixes.Add(1))
	}
	return p
}

// outcome is one run of the story.
type outcome struct {
	deaths     int
	violations []string
	took       time.Duration
	ran        map[string]int
}

// dieAt has one life after the other die, each at its point.
func dieAt(points ...string) []string {
	lives := make([]string, len(points))
	for i, point := range points {
		lives[i] = "HIKESHI_FAILPOINT=" + point
	}
	return lives
}

// tell plays the story in an empty place. lives are variables of the first
// processes, one for each; always is the environment of all.
func tell(t testing.TB, p place, lives, always []string) (outcome, error) {
	return tellFor(t, patience*time.Duration(max(1, len(lives))), p, lives, always)
}

// tellFor is tell with another bound.
func tellFor(t testing.TB, bound time.Duration, p place, lives, always []string) (outcome, error) {
	began := time.Now()
	health := p.health()
	defer health.Close()
	if err := p.configure(health.URL); err != nil {
		return outcome{}, err
	}
	app := p.supervisor(append([]string{"HIKESHI_CHAOS_STUMBLE=rank,diagnose!"}, always...)...)
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	life, stop := context.WithCancel(t.Context())
	defer stop()
	var supervised sync.WaitGroup
	var ended error
	supervised.Go(func() { ended = app.supervise(life, lives...) })
	s := newStory(app)
	played := s.play(ctx)
	s.http.CloseIdleConnections()
	stop()
	supervised.Wait()
	o := outcome{deaths: app.deaths - 1}
	if ended != nil {
		return o, ended
	}
	if played != nil {
		o.violations = append(o.violations, played.Error())
	}
	bad, err := p.violations(t.Context(), s.acked)
	if err != nil {
		return o, err
	}
	o.violations = append(o.violations, bad...)
	o.took = time.Since(began)
	o.ran, err = p.ran()
	return o, err
}

// points plays the story without a crash, and returns the crash points that it
// passes: "name:1", and "name:3" where it passes three times.
func points(t *testing.T, b backend) []string {
	t.Helper()
	p := b.place(t)
	log := filepath.Join(p.dir, "points")
	o, err := tell(t, p, []string{"HIKESHI_FAILPOINT_LOG=" + log}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(o.violations) > 0 || o.deaths != 0 || len(o.ran) != len(remedied) {
		t.Fatalf("without a crash: %d deaths, executions %v\n%s", o.deaths, o.ran, strings.Join(o.violations, "\n"))
	}
	raw, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(raw))
}

// minPoints is what R3 wants.
const minPoints = 25

// TestKilledAtEveryPoint is R3 and R6: kill -9 at each point, at its first and
// at its third hit.
func TestKilledAtEveryPoint(t *testing.T) {
	for _, b := range backends(t) {
		t.Run(b.name, func(t *testing.T) {
			passed := points(t, b)
			var first, third, missed []string
			for _, point := range passed {
				if name, ok := strings.CutSuffix(point, ":1"); ok {
					first = append(first, point)
					if point = name + ":3"; slices.Contains(passed, point) {
						third = append(third, point)
					} else {
						missed = append(missed, point)
					}
				}
			}
			b.passesAll(t, first)
			if len(first) < minPoints {
				t.Errorf("the story passes %d points, fewer than %d: %v", len(first), minPoints, first)
			}
			s := &sweep{t: t, backend: b, missed: missed}
			s.run(inOrder(b.share(first, third), passed))
			s.report(len(first))
		})
	}
}

// share is what one run of the tests sweeps: both hits of the points of the store
// itself, and of the points that both stores pass one hit with the one store and the
// other hit with the other. HIKESHI_CRASH=all takes all of them.
func (b backend) share(first, third []string) []string {
	if os.Getenv("HIKESHI_CRASH") == "all" {
		return slices.Concat(first, third)
	}
	var points []string
	for _, point := range slices.Sorted(slices.Values(first)) {
		name := strings.TrimSuffix(point, ":1")
		later := name + ":3"
		h := fnv.New32a()
		h.Write([]byte(name))
		wantsFirst := (h.Sum32()%2 == 0) == (b.redis == nil)
		own := strings.HasPrefix(name, b.name+".")
		if own || wantsFirst || !slices.Contains(third, later) {
			points = append(points, point)
		}
		if slices.Contains(third, later) && (own || !wantsFirst) {
			points = append(points, later)
		}
	}
	return points
}

// passesAll holds the story to passing each point of its store.
func (b backend) passesAll(t *testing.T, first []string) {
	for _, name := range failpoint.Names {
		// Pruning runs by the minute and deletes only what is a day old.
		if strings.HasPrefix(name, b.name+".") && !strings.Contains(name, ".prune.") && !slices.Contains(first, name+":1") {
			t.Errorf("the story does not pass %s", name)
		}
	}
}

// atOnce is how many stories are told at the same time: they wait for most of
// their time.
const atOnce = 4

// sweep kills at many points.
type sweep struct {
	t       *testing.T
	backend backend

	mu       sync.Mutex
	stories  int
	deaths   int
	missed   []string
	slowest  time.Duration
	slowName string
	began    time.Time
}

// deathsInAStory: what an early death has left undone, the next process does, and dies
// over it at a late point. With HIKESHI_CRASH=all each point has a story of its own.
func deathsInAStory() int {
	if os.Getenv("HIKESHI_CRASH") == "all" {
		return 1
	}
	return 4
}

// inOrder are the points in the order in which a story passes them.
func inOrder(points, passed []string) []string {
	return slices.DeleteFunc(slices.Clone(passed), func(point string) bool { return !slices.Contains(points, point) })
}

// run tells the stories of all points, which come in their order.
func (s *sweep) run(points []string) {
	s.began = time.Now()
	work := make(chan []string)
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for some := range work {
				s.kill(some)
			}
		})
	}
	each := deathsInAStory()
	stories := (len(points) + each - 1) / each
	for i := range stories {
		var some []string
		for at := i; at < len(points); at += stories {
			some = append(some, points[at])
		}
		work <- some
	}
	close(work)
	all.Wait()
}

// kill has one process after the other die in one story. Where the last of them did not
// come to its point, since the others had done its work, it has a story of its own.
func (s *sweep) kill(points []string) {
	o, err := tell(s.t, s.backend.place(s.t), dieAt(points...), nil)
	if err != nil {
		s.t.Errorf("%v: %v", points, err)
		return
	}
	if len(o.violations) > 0 {
		s.t.Errorf("killed at %v:\n  %s", points, strings.Join(o.violations, "\n  "))
	}
	s.count(points, &o)
	if left := points[o.deaths:]; len(points) > 1 {
		for _, point := range left {
			s.kill([]string{point})
		}
	}
}

func (s *sweep) count(points []string, o *outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stories++
	s.deaths += o.deaths
	if o.deaths == 0 && len(points) == 1 {
		s.missed = append(s.missed, points[0])
		if strings.HasSuffix(points[0], ":1") {
			s.t.Errorf("%s was not reached", points[0])
		}
	}
	if o.took > s.slowest {
		s.slowest, s.slowName = o.took, strings.Join(points, ", ")
	}
}

func (s *sweep) report(points int) {
	slices.Sort(s.missed)
	s.t.Logf("%s: %d points, %d deaths in %d stories in %v, the slowest %v (%s); not reached: %v",
		s.backend.name, points, s.deaths, s.stories, time.Since(s.began).Round(time.Millisecond), s.slowest.Round(time.Millisecond), s.slowName, s.missed)
}
