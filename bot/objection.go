package bot

import (
	"strconv"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// AskWhy asks somebody who gave a 👎 what is wrong with the action. Answering is
// up to them: the vote counts already.
func AskWhy(lang string, s *incidents.Incident, action, title string) Message {
	v := view{s: s, lang: lang}
	m := Message{Text: phrases.T(lang, "objection.ask", "action", title)}
	for i, why := range incidents.Objections() {
		verb := [...]pressVerb{pressWrongCause, pressUnsafeNow, pressTooSlow, pressNotTheRoot}[i]
		m.Buttons = append(m.Buttons, v.button("objection."+string(why), press{verb: verb, ref: actionRef(action)}, ""))
	}
	return m
}

// objected is what was said against an action: "unsafe now 2, too slow 1".
func objected(lang string, said []incidents.Objected) string {
	parts := make([]string, 0, len(said))
	for _, o := range said {
		parts = append(parts, phrases.T(lang, "objection."+string(o.Objection))+" "+strconv.Itoa(o.N))
	}
	return strings.Join(parts, phrases.T(lang, "objection.and"))
}
