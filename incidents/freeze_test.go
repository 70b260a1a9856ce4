package incidents

import (
	"testing"
	"time"
)

// Whoever makes a freeze longer does not make people forget who froze first, and why.
func TestALongerFreezeKeepsTheFirst(t *testing.T) {
	t.Parallel()
	bea, cho := Actor{ID: "console:bea", Name: "bea"}, Actor{ID: "console:cho", Name: "cho"}
	first := Freeze{By: bea, At: time.Unix(1000, 0), Until: time.Unix(2000, 0), Text: "moving the racks"}
	for text, want := range map[string]string{
		"": "moving the racks", "moving the racks": "moving the racks", "the fair": "moving the racks / the fair",
	} {
		second := Freeze{By: cho, Text: text}
		second.Extends(&first)
		second.At = time.Unix(1500, 0)
		third := Freeze{By: bea}
		third.Extends(&second)
		for _, f := range []Freeze{second, third} {
			if f.First == nil || f.First.By != bea || !f.First.At.Equal(first.At) || f.Text != want || f.By == f.First.By && f.At.Equal(first.At) {
				t.Errorf("%q: %+v", text, f)
			}
		}
	}
}
