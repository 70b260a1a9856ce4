package incidents

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func drawTime(t *rapid.T, label string) time.Time {
	if rapid.IntRange(0, 4).Draw(t, label+" zero") == 0 {
		return time.Time{}
	}
	ns := rapid.Int64().Filter(func(n int64) bool { return n != 0 }).Draw(t, label)
	return time.Unix(0, ns).UTC()
}

func drawLabels(t *rapid.T, what string) Labels {
	m := rapid.MapOfN(rapid.String(), rapid.String(), 0, 5).Draw(t, what)
	if len(m) == 0 {
		return nil
	}
	return LabelsFromMap(m)
}

func drawBatch(t *rapid.T) *Batch {
	b := &Batch{
		Source: rapid.String().Draw(t, "source"), ReceivedAt: drawTime(t, "received"),
		GroupKey: rapid.String().Draw(t, "group key"), Truncated: rapid.IntRange(0, math.MaxInt32).Draw(t, "truncated"),
		Alerts: []Alert{},
	}
	for range rapid.IntRange(0, 4).Draw(t, "alerts") {
		b.Alerts = append(b.Alerts, Alert{
			Labels: drawLabels(t, "labels"), Annotations: drawLabels(t, "annotations"), Resolved: rapid.Bool().Draw(t, "resolved"),
			StartsAt: drawTime(t, "starts"), EndsAt: drawTime(t, "ends"), GeneratorURL: rapid.String().Draw(t, "url"),
		})
	}
	return b
}

func TestBatchRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := drawBatch(t)
		record := AppendBatch([]byte("before"), want)[len("before"):]
		got, err := DecodeBatch(record)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("decoded %+v, %v\n   want %+v", got, err, want)
		}
		cut := rapid.IntRange(0, len(record)-1).Draw(t, "cut")
		if got, err := DecodeBatch(record[:cut]); err == nil {
			t.Fatalf("a record cut at %d of %d bytes decodes to %+v", cut, len(record), got)
		}
	})
}

func drawTrack(t *rapid.T) Track {
	n := rapid.Int64Range(0, 5) // few values, so that they meet
	return Track{FiredAt: n.Draw(t, "fired"), EndedAt: n.Draw(t, "ended"), ExpiresAt: n.Draw(t, "expires"), LapsedAt: n.Draw(t, "lapsed")}
}

// TestTracksAreALattice: what makes the order of reports not matter.
func TestTracksAreALattice(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := drawTrack(t), drawTrack(t), drawTrack(t)
		if a.join(a) != a {
			t.Fatalf("%+v joined with itself is %+v", a, a.join(a))
		}
		if a.join(b) != b.join(a) {
			t.Fatalf("%+v, %+v: %+v one way, %+v the other", a, b, a.join(b), b.join(a))
		}
		if a.join(b).join(c) != a.join(b.join(c)) {
			t.Fatalf("%+v, %+v, %+v: %+v or %+v", a, b, c, a.join(b).join(c), a.join(b.join(c)))
		}
	})
}

func drawAlertSet(t *rapid.T) *AlertSet {
	s := &AlertSet{}
	for range rapid.IntRange(0, 6).Draw(t, "tracks") {
		ns, fp := rapid.Int64(), KeyOf(rapid.String().Draw(t, "key"))
		if _, twice := s.Get(fp); !twice {
			s.set(fp, Track{FiredAt: ns.Draw(t, "fired"), EndedAt: ns.Draw(t, "ended"), ExpiresAt: ns.Draw(t, "expires"), LapsedAt: ns.Draw(t, "lapsed")})
		}
	}
	return s
}

func sameSet(a, b *AlertSet) bool {
	if a.Len() != b.Len() || a.Firing() != b.Firing() || a.latest != b.latest {
		return false
	}
	for fp, track := range a.tracks {
		if other, has := b.Get(fp); !has || other != track {
			return false
		}
	}
	return true
}

func TestAlertSetRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := drawAlertSet(t)
		b, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got AlertSet
		if err := json.Unmarshal(b, &got); err != nil || !sameSet(&got, want) {
			t.Fatalf("decoded %+v, %v\n   want %+v", got, err, want)
		}
		if again, _ := json.Marshal(got); !bytes.Equal(again, b) {
			t.Fatal("equal sets have different bytes")
		}
	})
}

func FuzzDecodeBatch(f *testing.F) {
	b := &Batch{Source: "prometheus", ReceivedAt: noon, GroupKey: "{}:{}", Truncated: 3, Alerts: []Alert{
		firing("A", "critical", noon), ended(firing("B", "", noon), minute(3)),
	}}
	f.Add(AppendBatch(nil, b))
	f.Add(AppendBatch(nil, &Batch{}))
	f.Add([]byte{batchVersion, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Add([]byte{2})
	f.Fuzz(func(t *testing.T, record []byte) {
		b, err := DecodeBatch(record)
		if err != nil {
			return
		}
		again, err := DecodeBatch(AppendBatch(nil, b))
		if err != nil || fmt.Sprint(again) != fmt.Sprint(b) {
			t.Fatalf("%+v, written and read again, is %+v, %v", b, again, err)
		}
		b.Normalise()
		for i := range b.Alerts { // whatever came in can be folded
			b.Alerts[i].Fingerprint()
		}
	})
}

func FuzzAlertSet(f *testing.F) {
	s := &AlertSet{}
	s.set(KeyOf("a"), Track{FiredAt: noon.UnixNano(), ExpiresAt: minute(4).UnixNano()})
	s.set(KeyOf("b"), Track{FiredAt: noon.UnixNano(), EndedAt: minute(1).UnixNano(), LapsedAt: 1})
	f.Add(encodeTracks(s))
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xff}, 40))
	f.Fuzz(func(t *testing.T, b []byte) {
		quoted, _ := json.Marshal(b)
		var s AlertSet
		if err := json.Unmarshal(quoted, &s); err != nil {
			return
		}
		var again AlertSet
		b2, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b2, &again); err != nil || !sameSet(&s, &again) {
			t.Fatalf("%+v, written and read again, is %+v, %v", s, again, err)
		}
	})
}

func TestLabelsJSONRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := drawLabels(t, "labels")
		b, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Labels
		if err := json.Unmarshal(b, &got); err != nil || got.Key() != want.Key() {
			t.Fatalf("%v became %v (%v) through %s", want, got, err, b)
		}
	})
}

// TestKeysDoNotCollide: no two label sets share a key because of where the
// borders between names and values lie.
func TestKeysDoNotCollide(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]Labels{
		{{{"a", "b,c"}}, {{"a", "b"}, {"c", ""}}},
		{{{"a", `b", c="d`}}, {{"a", "b"}, {"c", "d"}}},
		{{{"ab", "c"}}, {{"a", "bc"}}},
		{{{"a", ""}}, {{"", "a"}}},
		{{}, {{"", ""}}},
		{{{"a", "b"}, {"c", "d"}}, {{"a", "b\x00\x00\x00\x01c\x00\x00\x00\x01d"}}},
		{{{"a", "b"}, {"c", "d"}}, {{"a", "b\x00\x00\x00\x01cd"}}},
	} {
		if pair[0].Key() == pair[1].Key() {
			t.Errorf("%v and %v have one key", pair[0], pair[1])
		}
	}
	// Letters that are borders in some writing of labels, so that near misses are likely.
	word := rapid.StringOfN(rapid.SampledFrom([]rune{'a', 'b', ',', '=', '"', '{', '\x00', '\x01'}), 0, 4, -1)
	rapid.Check(t, func(t *rapid.T) {
		a := LabelsFromMap(rapid.MapOfN(word, word, 0, 3).Draw(t, "a"))
		b := LabelsFromMap(rapid.MapOfN(word, word, 0, 3).Draw(t, "b"))
		if same := reflect.DeepEqual(a, b); same != (a.Key() == b.Key()) {
			t.Fatalf("%v and %v: equal %v, keys %s and %s", a, b, same, a.Key(), b.Key())
		}
		ws := rapid.SliceOfN(word, 0, 4)
		p, q := ws.Draw(t, "p"), ws.Draw(t, "q")
		if same := reflect.DeepEqual(p, q); same != (KeyOf(p...) == KeyOf(q...)) {
			t.Fatalf("%q and %q: equal %v", p, q, same)
		}
	})
}

func TestLabelsAreSortedAndTheLaterOfTwoWins(t *testing.T) {
	t.Parallel()
	got := NewLabels([]Label{{"b", "1"}, {"a", "2"}, {"b", "3"}})
	if want := (Labels{{"a", "2"}, {"b", "3"}}); !reflect.DeepEqual(got, want) {
		t.Errorf("labels = %v, want %v", got, want)
	}
	if got.Get("b") != "3" || got.Get("c") != "" {
		t.Errorf("b is %q, c is %q", got.Get("b"), got.Get("c"))
	}
}

func TestParseID(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]ID{"42": 42, "INC-42": 42, "inc-0042": 42, "#42": 42} {
		if got, ok := ParseID(in); !ok || got != want {
			t.Errorf("ParseID(%q) = %d, %v", in, got, ok)
		}
	}
	for _, in := range []string{"", "INC-", "0", "-1", "+1", "inc-+1", "4.2", "INC--4", "99999999999999999999", "#"} {
		if got, ok := ParseID(in); ok {
			t.Errorf("ParseID(%q) = %d", in, got)
		}
	}
}

func TestSlug(t *testing.T) {
	t.Parallel()
	for title, want := range map[string]string{
		"Checkout: 5xx!":    "inc-0042-checkout-5xx",
		"決済が遅い":             "inc-0042",
		"  --A__b  ":        "inc-0042-a-b",
		"<script>alert(1)":  "inc-0042-script-alert-1",
		"DB down · 決済 · eu": "inc-0042-db-down-eu",
	} {
		if got := (&Incident{ID: 42, Title: title}).Slug(); got != want {
			t.Errorf("slug of %q = %q, want %q", title, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := &Incident{ID: ID(rapid.Int64Range(1, math.MaxInt64).Draw(t, "id")), Title: rapid.String().Draw(t, "title")}
		slug := s.Slug()
		if len(slug) > 80 || bytes.ContainsFunc([]byte(slug), func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-') }) {
			t.Fatalf("slug %q", slug)
		}
	})
}

func TestNormaliseBoundsTheClocksOfOthers(t *testing.T) {
	t.Parallel()
	old := time.Unix(0, 0)
	for name, tc := range map[string]struct{ in, want Alert }{
		"a day ahead, firing":   {Alert{StartsAt: minute(1440)}, Alert{StartsAt: noon}},
		"a day ahead, resolved": {Alert{StartsAt: minute(1440), EndsAt: minute(1441), Resolved: true}, Alert{StartsAt: noon, EndsAt: noon, Resolved: true}},
		"ends before it began":  {Alert{StartsAt: minute(-5), EndsAt: minute(-9), Resolved: true}, Alert{StartsAt: minute(-5), EndsAt: minute(-5), Resolved: true}},
		"no times":              {Alert{Resolved: true}, Alert{StartsAt: noon, EndsAt: noon, Resolved: true}},
		"a clock never set":     {Alert{StartsAt: old, EndsAt: old}, Alert{StartsAt: noon}},
		"expires in year 9999":  {Alert{StartsAt: noon, EndsAt: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}, Alert{StartsAt: noon}},
		"expires in a while":    {Alert{StartsAt: noon, EndsAt: minute(4)}, Alert{StartsAt: noon, EndsAt: minute(4)}},
		"long ago":              {Alert{StartsAt: minute(-99999)}, Alert{StartsAt: minute(-99999)}},
	} {
		b := Batch{ReceivedAt: noon, Alerts: []Alert{tc.in}}
		b.Normalise()
		if got := b.Alerts[0]; !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: %+v, want %+v", name, got, tc.want)
		}
	}
}

func TestSeverityWords(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]Severity{"critical": Sev1, "P2": Sev2, "Warning": Sev3, "4": Sev4, "info": Sev5, "SEV1": Sev1} {
		if got, ok := ParseSeverity(word); !ok || got != want {
			t.Errorf("ParseSeverity(%q) = %s, %v", word, got, ok)
		}
	}
	for s := SevUnknown; s <= Sev5; s++ {
		b, _ := s.MarshalText()
		var got Severity
		if err := got.UnmarshalText(b); err != nil || got != s {
			t.Errorf("%s became %s, %v through %q", s, got, err, b)
		}
	}
	if SevUnknown.WorseThan(Sev5) || !Sev5.WorseThan(SevUnknown) || !Sev1.WorseThan(Sev2) || Sev2.WorseThan(Sev2) {
		t.Error("the order of severities is wrong")
	}
}

// An alert that is kept comes back as it was, and does not hold the record in
// memory that it was read from.
func TestAlertListRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list := AlertList(drawBatch(t).Alerts)
		var back AlertList
		if err := json.Unmarshal([]byte(asJSON(t, list)), &back); err != nil {
			t.Fatal(err)
		}
		if len(back) != len(list) {
			t.Fatalf("%d alerts came back of %d", len(back), len(list))
		}
		for i := range list {
			if own := list[i].own(); !reflect.DeepEqual(back[i], list[i]) || !reflect.DeepEqual(own, list[i]) {
				t.Fatalf("got %+v and %+v, want %+v", back[i], own, list[i])
			}
		}
	})
}

func FuzzAlertList(f *testing.F) {
	a := firing("A", "critical", noon)
	f.Add([]byte(asJSON(f, AlertList{a, ended(a, minute(1))})))
	f.Add([]byte(`"/////w8="`))
	f.Add([]byte(`"AQ=="`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, in []byte) {
		var l AlertList
		if json.Unmarshal(in, &l) != nil {
			return
		}
		again, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		var back AlertList
		if err := json.Unmarshal(again, &back); err != nil || len(back) != len(l) {
			t.Errorf("%d alerts became %d, %v", len(l), len(back), err)
		}
	})
}
