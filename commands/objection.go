package commands

import (
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// objectionWords are what people type for what is wrong with an action.
var objectionWords = map[string]incidents.Objection{
	"wrong-cause": incidents.WrongCause, "wrong": incidents.WrongCause, "原因違い": incidents.WrongCause, "原因が違う": incidents.WrongCause,
	"unsafe-now": incidents.UnsafeNow, "unsafe": incidents.UnsafeNow, "今は危険": incidents.UnsafeNow, "危険": incidents.UnsafeNow,
	"too-slow": incidents.TooSlow, "slow": incidents.TooSlow, "遅い": incidents.TooSlow, "遅すぎる": incidents.TooSlow,
	"not-the-root": incidents.NotTheRoot, "not-root": incidents.NotTheRoot, "根本ではない": incidents.NotTheRoot, "対症療法": incidents.NotTheRoot,
}

// objection reads the reason in front of what else was said: "wrong-cause", or as
// people say it, "wrong cause".
func objection(words []string) (incidents.Objection, []string) {
	for n := min(3, len(words)); n > 0; n-- {
		if o, ok := objectionWords[strings.ToLower(strings.Join(words[:n], "-"))]; ok {
			return o, words[n:]
		}
	}
	return "", words
}
