package similar

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestFindsTheLikeAndSaysWhy(t *testing.T) {
	t.Parallel()
	x := New(100)
	x.Add(Doc{ID: "1", Attrs: map[string]string{"service": "shop", "alert": "slow"}, Text: "checkout times out", Fix: "restart"})
	x.Add(Doc{ID: "2", Attrs: map[string]string{"service": "shop", "alert": "disk"}, Text: "no space left", Fix: "clean"})
	x.Add(Doc{ID: "3", Attrs: map[string]string{"service": "mail", "alert": "slow"}, Text: "queue grows", Fix: "scale"})
	for i := range 20 {
		x.Add(Doc{ID: fmt.Sprint("n", i), Attrs: map[string]string{"service": fmt.Sprint("other", i), "alert": "down"}, Fix: fmt.Sprint("f", i)})
	}
	got := x.Find(Doc{Attrs: map[string]string{"service": "shop", "alert": "disk"}, Text: "No space left on device 7"}, 3)
	if len(got) == 0 || got[0].ID != "2" || got[0].Fix != "clean" || !slices.Contains(got[0].Shared, "alert=disk") || !slices.Contains(got[0].Shared, "space") {
		t.Errorf("found %+v, want incident 2 first", got)
	}
	if got[0].Score <= got[len(got)-1].Score {
		t.Errorf("scores do not fall: %+v", got)
	}
}

func TestOneOfEachFix(t *testing.T) {
	t.Parallel()
	x := New(10)
	for i := range 8 {
		x.Add(Doc{ID: fmt.Sprint(i), Attrs: map[string]string{"a": "b"}, Fix: []string{"x", "y"}[i%2]})
	}
	if got := x.Find(Doc{Attrs: map[string]string{"a": "b"}}, 5); len(got) != 2 || got[0].Fix == got[1].Fix {
		t.Errorf("found %+v, want one for each of two fixes", got)
	}
}

func TestKeepsTheLatest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		x := New(5)
		n := rapid.IntRange(0, 40).Draw(t, "n")
		for i := range n {
			x.Add(Doc{
				ID:    fmt.Sprint(i),
				Attrs: map[string]string{"a": rapid.StringMatching(`[a-c]?`).Draw(t, "a"), "b": rapid.String().Draw(t, "b")},
				Text:  rapid.String().Draw(t, "text"), Fix: rapid.StringMatching(`[x-z]?`).Draw(t, "fix"),
			})
		}
		in := 0
		for _, e := range x.docs {
			in += len(e.features)
		}
		for name, f := range x.features {
			in -= len(f.docs)
			fixes := 0
			for _, n := range f.fixes {
				fixes += n
			}
			if len(f.docs) == 0 || fixes > len(f.docs) {
				t.Fatalf("%q has %d incidents and %d fixes", name, len(f.docs), fixes)
			}
		}
		if x.Len() != min(n, 5) || in != 0 {
			t.Fatalf("keeps %d of %d, %d features too many or few", x.Len(), n, in)
		}
		for _, m := range x.Find(Doc{Attrs: map[string]string{"a": "a"}}, 9) {
			var id int
			if fmt.Sscan(m.ID, &id); id < n-5 || !(m.Score >= 0 && m.Score <= 1) {
				t.Fatalf("found %+v after %d", m, n)
			}
		}
	})
}

func FuzzFeatures(f *testing.F) {
	f.Add("Disk full: /var 97%", "火事")
	f.Fuzz(func(t *testing.T, text, value string) {
		x := New(2)
		d := Doc{ID: "1", Text: text, Attrs: map[string]string{"a": value}}
		x.Add(d)
		got := x.Find(d, 1)
		if len(featuresOf(d)) > 0 && (len(got) != 1 || got[0].ID != "1") {
			t.Fatalf("an incident is not like itself: %+v", got)
		}
	})
}
