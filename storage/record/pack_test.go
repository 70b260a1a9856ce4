package record

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Whatever is packed is read as it was, and so is what an earlier release left.
func TestWhatIsPackedIsReadAsItWas(t *testing.T) {
	t.Parallel()
	random := rand.NewChaCha8([32]byte{})
	for _, f := range []*form{eventForm, postingForm} {
		for first := range lastForm + 2 { // also what looks packed
			raw := make([]byte, first*first)
			_, _ = random.Read(raw)
			raw = append([]byte{byte(first)}, raw...)
			if first%2 == 0 {
				raw = append(raw, f.words[100*first:][:300]...)
			}
			packed, err := f.shrink(raw)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := f.unfold(packed); err != nil || !bytes.Equal(got, raw) {
				t.Errorf("%q, packed as %x, is read as %q, %v", raw, packed, got, err)
			}
			if len(packed) > len(raw) && first > lastForm {
				t.Errorf("%d bytes are packed into %d", len(raw), len(packed))
			}
		}
	}
	for _, raw := range []string{"", "{}", `{"seq":1}`, strings.Repeat("{", maxPacked+1)} {
		if got, err := Unfold([]byte(raw)); err != nil || string(got) != raw {
			t.Errorf("of an earlier release: %.20q is read as %.20q, %v", raw, got, err)
		}
	}
	if _, err := PackPosting(append([]byte{packedPosting}, make([]byte, maxPacked)...)); err == nil {
		t.Error("what is too large to be packed and looks packed was taken")
	}
}

// Alerts within an event, or what only looks like them, come back byte for byte.
func TestLift(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		raw    string
		lifted bool
	}{
		{`{"alerts":{"firing":1,"new":"AAECAw==","severity":"SEV1"}}`, true},
		{`{"samples":"AAECAwQF","alerts":""}`, true},
		{`{"new":"not base64!","samples":"AAEC"}`, true},
		{`{"new":"AAECAx=="}`, false}, // its last bits are not what would be written
		{`{"new":"AAE\u0043Aw=="}`, false},
		{"{\"new\":\"AAEC\nAw==\"}", false},
		{`{"new":""}`, false},
		{`{"new":"AAEC`, false},
	} {
		b := lift([]byte(tc.raw))
		if (b != nil) != tc.lifted {
			t.Errorf("%s is lifted: %v, want %v", tc.raw, b != nil, tc.lifted)
		}
		if b == nil {
			continue
		}
		if got, err := lower(b); err != nil || string(got) != tc.raw {
			t.Errorf("%s comes back as %s, %v", tc.raw, got, err)
		}
		for i := range b {
			_, _ = lower(b[:i]) // must not panic
		}
		packed := []byte(tc.raw)
		if err := pack(&packed); err != nil || packed[0] != packedLifted {
			t.Fatalf("%s is packed as %x, %v", tc.raw, packed, err)
		}
		if got, err := Unfold(packed); err != nil || string(got) != tc.raw {
			t.Errorf("%s is unfolded as %s, %v", tc.raw, got, err)
		}
	}
	for _, b := range []string{"", "\xff", "\x05\x01a", "\x00\x09a", "\x01\x00", "\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"} {
		if got, err := lower([]byte(b)); err == nil {
			t.Errorf("%q is lowered to %q", b, got)
		}
	}
}

// The words of a form never change: what was packed after them could not be read.
func TestFormsStayReadable(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		form    *form
		words   uint32
		raw     string
		written string
	}{
		{eventForm, 0xa801c466, `{"seq":4,"kind":"ranked","at":"2027-01-02T03:04:05Z","by":{"id":"bot","name":"hikeshi"}}`,
			"0223648a81225caa9aeb1a18ea1a188518185b1998581998461113fab580000000ffff"},
		{postingForm, 0x8b00512a, `{"in":{"en":{"key":"card","kind":"card","pinned":true,"title":"INC-1 Down"},"ja":{"title":"アラート"}}}`,
			"037e2e856a22b731805c0a29b8809a4e709bb1cdbb803a8480000000ffff"},
	} {
		if got := crc32.ChecksumIEEE([]byte(tc.form.words)); got != tc.words {
			t.Errorf("the words of form %d have become others (%#x, were %#x): make a new form", tc.form.id, got, tc.words)
		}
		b, err := hex.DecodeString(tc.written)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := tc.form.unfold(b); err != nil || string(got) != tc.raw {
			now, err2 := tc.form.shrink([]byte(tc.raw))
			t.Errorf("form %d: read %q, %v (today it would be %x, %v)", tc.form.id, got, err, now, err2)
		}
	}
}

func TestADamagedRecordIsSaid(t *testing.T) {
	t.Parallel()
	raw := []byte(postingWords[:400])
	whole, err := PackPosting(raw)
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		b := slices.Clone(whole)
		b[i] ^= 1
		if got, err := Posting(b); err == nil && !bytes.Equal(got, raw) {
			t.Fatalf("byte %d changed: read %.40q", i, got)
		}
		if got, err := Posting(whole[:max(i, 1)]); err == nil {
			t.Fatalf("cut after %d bytes: read %.40q", i, got)
		}
	}
	if _, err := Unfold(whole); err == nil {
		t.Error("a posting was read as an event")
	}
}

// A commit is packed whole, but for what a storm's reports are made of.
func TestPack(t *testing.T) {
	t.Parallel()
	state := &incidents.Incident{ID: 7, Shard: 2, Title: "HighErrorRate · shop"}
	small := incidents.Event{Seq: 1, Kind: incidents.EventRanked, Because: incidents.Because("why.none", "name", "HighErrorRate", "service", "shop"), At: epoch, Written: epoch, By: incidents.Bot}
	large := incidents.Event{Seq: 2, Kind: incidents.EventAlerts, At: epoch, Written: epoch, By: incidents.Bot,
		Alerts: &incidents.News{Firing: 99, Tracks: bytes.Repeat([]byte{0}, manyTracks+1)}}
	state.Version = 2
	c := &incidents.Commit{Shard: 2, Changes: []incidents.Change{{Events: []incidents.Event{small, large}, State: state}}}
	e, err := Encode(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	plain := e.Changes[0].Size
	if err := e.Pack(); err != nil {
		t.Fatal(err)
	}
	got := &e.Changes[0]
	if got.Events[0][0] != packedEvent || got.Summary[0] != '{' || got.Events[1][0] != '{' || got.Size != plain {
		t.Errorf("packed as %.10q, %.10q and %.10q of %d bytes", got.Events[0], got.Events[1], got.Summary, got.Size)
	}
	var read incidents.Event
	if b, err := Unfold(got.Events[0]); err != nil || json.Unmarshal(b, &read) != nil || read.Kind != small.Kind {
		t.Errorf("read %+v, %v", read, err)
	}
	if len(got.Events[0])*2 > len(mustJSON(t, small)) {
		t.Errorf("an event takes %d bytes, its JSON %d", len(got.Events[0]), len(mustJSON(t, small)))
	}
}
