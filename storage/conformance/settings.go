package conformance

import (
	"bytes"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/storage"
)

func testSettings(t *testing.T, s storage.Store) {
	read := func(setting string) incidents.Document {
		t.Helper()
		found, err := s.Setting(t.Context(), setting)
		check(t, err)
		equal(t, "name", found.Name, setting)
		return found
	}
	none := read("freeze")
	equal(t, "version of none", none.Version, int64(0))
	equal(t, "body of none", len(none.Body), 0)
	signals, cancel := s.Watch()
	defer cancel()
	evil := []byte("\x00\xff'\"; DROP TABLE settings; --\r\n$3\r\nDEL ]]> 火消し")
	check(t, s.PutSetting(t.Context(), "freeze", 0, evil))
	for limit := time.After(20 * time.Second); ; {
		select {
		case sig := <-signals:
			if sig.Kind != incidents.SignalSetting || sig.Setting != "freeze" {
				continue
			}
		case <-limit:
			t.Fatal("nobody heard of the setting")
		}
		break
	}
	if got := read("freeze"); got.Version != 1 || !bytes.Equal(got.Body, evil) {
		t.Fatalf("read version %d, %q", got.Version, got.Body)
	}
	for _, expect := range []int64{0, 2, 1 << 40} {
		wantErr(t, s.PutSetting(t.Context(), "freeze", expect, []byte("no")), incidents.ErrConflict)
	}
	wantErr(t, s.PutSetting(t.Context(), "other", 1, []byte("no")), incidents.ErrConflict)
	equal(t, "version of another", read("other").Version, int64(0))
	check(t, s.PutSetting(t.Context(), "freeze", 1, nil))
	if got := read("freeze"); got.Version != 2 || len(got.Body) != 0 {
		t.Fatalf("emptied: version %d, %q", got.Version, got.Body)
	}
	check(t, s.PutSetting(t.Context(), name("%s", evil), 0, []byte("x")))
	equal(t, "version of a hostile name", read(string(evil)).Version, int64(1))
	equal(t, "no name", incidents.CodeOf(s.PutSetting(t.Context(), "", 0, nil)), incidents.Invalid)
	equal(t, "too large", incidents.CodeOf(s.PutSetting(t.Context(), "freeze", 2, make([]byte, incidents.MaxSetting+1))), incidents.TooLarge)
}

// testRacingSettings: of all who write over one version exactly one does, and
// what is read is what it wrote.
func testRacingSettings(t *testing.T, s storage.Store) {
	const writers, rounds = 8, 10
	for round := range rounds {
		var won atomic.Int64
		var winner atomic.Value
		var all sync.WaitGroup
		for w := range writers {
			all.Go(func() {
				body := name("%d/%d", round, w)
				switch err := s.PutSetting(t.Context(), "raced", int64(round), []byte(body)); {
				case err == nil:
					won.Add(1)
					winner.Store(body)
				case !errors.Is(err, incidents.ErrConflict):
					t.Error(err)
				}
			})
		}
		all.Wait()
		equal(t, "winners", won.Load(), int64(1))
		found, err := s.Setting(t.Context(), "raced")
		check(t, err)
		equal(t, "version", found.Version, int64(round)+1)
		equal(t, "body", string(found.Body), winner.Load().(string))
	}
}
