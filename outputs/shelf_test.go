package outputs

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// documents are settings in memory, with the stores' own check.
type documents struct {
	mu  sync.Mutex
	all map[string]incidents.Document
}

func (d *documents) Setting(_ context.Context, name string) (incidents.Document, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.all[name], nil
}

func (d *documents) PutSetting(_ context.Context, name string, expect int64, body []byte) error {
	if err := incidents.CheckSetting(name, expect, body); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all[name].Version != expect {
		return incidents.ErrConflict
	}
	d.all[name] = incidents.Document{Name: name, Version: expect + 1, Body: body}
	return nil
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// noise is text that does not compress well.
func noise(seed uint64, n int) string {
	r := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(' ' + r.IntN(90))
	}
	return string(b)
}

// Whatever is still said to be kept reads back as it was; the rest is not found; and it all
// stays within its bounds, however much is kept.
func TestKeptOutputsReadBack(t *testing.T) {
	t.Parallel()
	d, now := &documents{all: map[string]incidents.Document{}}, noon
	s := New(d, func() time.Time { return now })
	texts := map[string]string{}
	for i := range 120 {
		run := fmt.Sprintf("INC-%d/1", i)
		texts[run] = noise(uint64(i), []int{0, 1, 5000, MaxText, 300_000}[i%5])
		if err := s.Keep(t.Context(), run, "restart", texts[run]); err != nil {
			t.Fatal(err)
		}
	}
	kept := 0
	for run, text := range texts {
		entries, err := s.Of(t.Context(), run)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Read(t.Context(), run, "restart")
		switch {
		case len(entries) == 1 && err == nil && got == text && entries[0].Bytes == len(text):
			kept++
		case len(entries) == 1 || incidents.CodeOf(err) != incidents.NotFound:
			t.Errorf("%s: %v, %d of %d bytes, %v", run, entries, len(got), len(text), err)
		}
	}
	if kept < 20 || kept == len(texts) {
		t.Errorf("%d of %d are kept", kept, len(texts))
	}
	if len(d.all) > slots+1 {
		t.Errorf("%d documents", len(d.all))
	}
	now = now.Add(Term + time.Second)
	if _, err := s.Read(t.Context(), "INC-119/1", "restart"); incidents.CodeOf(err) != incidents.NotFound {
		t.Errorf("after its term: %v", err)
	}
}

func TestTheIndexFitsIntoADocument(t *testing.T) {
	t.Parallel()
	s := New(&documents{all: map[string]incidents.Document{}}, func() time.Time { return noon })
	for i := range maxEntries + 10 {
		if err := s.Keep(t.Context(), fmt.Sprintf("INC-9007199254740991/%d", i), strings.Repeat("step-of-a-runbook-with-long-ids.", 5), "x"); err != nil {
			t.Fatal(err)
		}
	}
}

// Many at once, as on several replicas: each reads back.
func TestKeepingAtTheSameTime(t *testing.T) {
	t.Parallel()
	d := &documents{all: map[string]incidents.Document{}}
	s := New(d, func() time.Time { return noon })
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			if err := s.Keep(t.Context(), "INC-1/1", fmt.Sprint(i), noise(uint64(i), 100_000)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for i := range 8 {
		if got, err := s.Read(t.Context(), "INC-1/1", fmt.Sprint(i)); err != nil || got != noise(uint64(i), 100_000) {
			t.Errorf("%d: %d bytes, %v", i, len(got), err)
		}
	}
}

// A slot that somebody else's text lies in by now, or that was never written, is no text.
func TestAPartThatIsNotOursIsNotRead(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "short", strings.Repeat("y", 100)} {
		d := &documents{all: map[string]incidents.Document{}}
		s := New(d, func() time.Time { return noon })
		if err := s.Keep(t.Context(), "INC-1/1", "a", "hello"); err != nil {
			t.Fatal(err)
		}
		d.all = maps.Clone(d.all)
		d.all[slotName(0)] = incidents.Document{Name: slotName(0), Version: 2, Body: []byte(body)}
		if got, err := s.Read(t.Context(), "INC-1/1", "a"); incidents.CodeOf(err) != incidents.NotFound || got != "" {
			t.Errorf("%q: %q, %v", body, got, err)
		}
	}
}
