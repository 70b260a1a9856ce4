package tracker

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
)

// told is what the tracker was told of each field, as a short hash, and when:
// what a person changed there since then, it has to be told again.
type told map[Field]word

type word struct {
	hash string
	at   time.Time
}

func parseTold(s string) told {
	t := told{}
	for part := range strings.SplitSeq(s, ",") {
		f, rest, ok := strings.Cut(part, "=")
		if !ok {
			continue
		}
		hash, at, _ := strings.Cut(rest, "@")
		w := word{hash: hash}
		if ms, err := strconv.ParseInt(at, 36, 64); err == nil {
			w.at = time.UnixMilli(ms)
		}
		t[Field(f)] = w
	}
	return t
}

func (t told) String() string {
	parts := make([]string, 0, len(t))
	for f, w := range t {
		parts = append(parts, string(f)+"="+w.hash+"@"+strconv.FormatInt(w.at.UnixMilli(), 36))
	}
	slices.Sort(parts)
	return strings.Join(parts, ",")
}

// with is a copy that also has what want says of the field.
func (t told) with(want bot.Ticket, f Field, at time.Time) told {
	out := maps.Clone(t)
	var v any
	switch f {
	case Text:
		v = []any{want.Summary, want.Body}
	case Status:
		v = want.State
	case Priority:
		v = want.Severity
	case Assignee:
		v = want.Assignee.ID
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic("tracker: plain values did not encode: " + err.Error())
	}
	sum := sha256.Sum256(b)
	out[f] = word{hex.EncodeToString(sum[:6]), at}
	return out
}
