package outputs

import (
	"context"
	"encoding/json"
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

// Whatever is still said to be kept reads back as it was, and the rest is not found.
func TestKeptOutputsReadBack(t *testing.T) {
	t.Parallel()
	d, now := &documents{all: map[string]incidents.Document{}}, noon
	s := New(d, func() time.Time { return now })
	all, texts := noise(1, MaxText+turn), map[string]string{}
	for i := range 2 * turn {
		if i == turn {
			d.rewind(t)
		}
		run, size := fmt.Sprintf("INC-%d/1", i), []int{0, 1, 5000, MaxText, 200_000, 60_000}[i%turn]
		texts[run] = all[i%turn:][:size]
		if i < turn {
			texts[run] = strings.ToLower(texts[run])
		}
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
	if kept < turn || kept == len(texts) {
		t.Errorf("%d of %d are kept", kept, len(texts))
	}
	now = now.Add(Term + time.Second)
	if _, err := s.Read(t.Context(), fmt.Sprintf("INC-%d/1", 2*turn-1), "restart"); incidents.CodeOf(err) != incidents.NotFound {
		t.Errorf("after its term: %v", err)
	}
}

// turn is how many outputs are kept before the circle of slots is said to be full.
const turn = 6

// rewind makes the next output lie where the first one lies, as after a whole turn of the
// circle, which takes 24 MiB.
func (d *documents) rewind(t *testing.T) {
	t.Helper()
	doc, x := d.all[indexName], index{}
	if err := json.Unmarshal(doc.Body, &x); err != nil {
		t.Fatal(err)
	}
	x.Next = 0
	var err error
	if doc.Body, err = json.Marshal(x); err != nil {
		t.Fatal(err)
	}
	d.all[indexName] = doc
}

// However much is kept, no slot belongs to two outputs, or to none of the circle.
func TestTheIndexKeepsWithinItsBounds(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	x := index{}
	for i := range 1000 {
		x.place(Entry{Run: fmt.Sprint(i)}, 1+r.IntN(MaxText/slotBytes+1), noon)
		owners := map[int]string{}
		for _, e := range x.Kept {
			for n := range e.Slots {
				slot := (e.First + n) % slots
				if owners[slot] != "" || e.First >= slots {
					t.Fatalf("after %d: slot %d belongs to %s and %s", i, slot, owners[slot], e.Run)
				}
				owners[slot] = e.Run
			}
		}
		if len(x.Kept) > maxEntries || i > slots && len(owners) < slots/2 {
			t.Fatalf("after %d: %d outputs in %d slots", i, len(x.Kept), len(owners))
		}
	}
}

func TestTheIndexFitsIntoADocument(t *testing.T) {
	t.Parallel()
	d := &documents{all: map[string]incidents.Document{}}
	x, step := index{}, strings.Repeat("step-of-a-runbook-with-long-ids.", 5)
	for i := range maxEntries {
		x.place(Entry{Run: fmt.Sprintf("INC-9007199254740991/%d", i), Step: step, Bytes: MaxText}, 1, noon)
	}
	body, err := json.Marshal(x)
	if err != nil || d.PutSetting(t.Context(), indexName, 0, body) != nil {
		t.Fatal(err)
	}
	s := New(d, func() time.Time { return noon })
	for i := range 3 {
		if err := s.Keep(t.Context(), fmt.Sprintf("INC-9007199254740990/%d", i), step, "x"); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []int{0, 0, 0, 1, 1} { // as many as came are forgotten
		if got, err := s.Of(t.Context(), fmt.Sprintf("INC-9007199254740991/%d", i)); err != nil || len(got) != want {
			t.Errorf("%d: %v, %v", i, got, err)
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
