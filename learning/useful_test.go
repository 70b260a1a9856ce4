package learning

import (
	"strconv"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

func TestWhatIsSeldomUseful(t *testing.T) {
	t.Parallel()
	vote := func(service, item string, value, was int) incidents.Fact {
		return incidents.Fact{Kind: incidents.FactUseful, At: time.Unix(1, 0), Action: item, Value: value, Was: was, Context: incidents.Context{Service: service}}
	}
	no, yes := vote("shop", "check/load", -1, 0), vote("shop", "check/load", 1, 0)
	for name, c := range map[string]struct {
		votes []incidents.Fact
		want  bool
	}{
		"nobody":                {nil, false},
		"two":                   {[]incidents.Fact{no, no}, false},
		"three":                 {[]incidents.Fact{no, no, no}, true},
		"one of four disagrees": {[]incidents.Fact{no, yes, no, no}, false},
		"one of five disagrees": {[]incidents.Fact{no, yes, no, no, no}, true},
		"a mind was changed":    {[]incidents.Fact{no, no, no, vote("shop", "check/load", 1, -1)}, false},
		"a vote was taken back": {[]incidents.Fact{no, no, no, vote("shop", "check/load", 0, -1)}, false},
		"of another service":    {[]incidents.Fact{no, no, vote("cart", "check/load", -1, 0)}, false},
		"of another item":       {[]incidents.Fact{no, no, vote("shop", "check/disk", -1, 0)}, false},
		"more back than came":   {[]incidents.Fact{vote("shop", "check/load", 0, -1), no, no, no}, true},
		"no vote at all":        {[]incidents.Fact{no, no, vote("shop", "check/load", -7, 0)}, false},
	} {
		var m Model
		m.Learn(c.votes...)
		if got := m.Seldom("shop", "check/load"); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestItemsAreBounded(t *testing.T) {
	t.Parallel()
	var m Model
	var votes []incidents.Fact
	for i := range maxItems + 2 {
		votes = append(votes, incidents.Fact{Kind: incidents.FactUseful, At: time.Unix(1, 0), Action: strconv.Itoa(i), Value: -1})
	}
	m.Learn(votes...)
	if len(m.items) != maxItems || m.Forgotten().Items != 2 {
		t.Errorf("%d items, %+v", len(m.items), m.Forgotten())
	}
}
