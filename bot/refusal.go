package bot

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// refuse is the answer to a wish that never became a command.
func (r *Router) refuse(q Request, e *incidents.Error) (Reply, error) {
	r.log.Warn("command refused", "person", Line(q.Person.ID, 200), "chat", q.Chat, "incident", q.Incident.String(),
		"origin", string(q.Origin), "code", string(e.Code), "error", Line(e.Message, 500))
	return refusal(q.Lang, e), e
}

// explain makes of any error one for people. What has no code stays in the
// log, under a short reference that the person is told.
func (r *Router) explain(ctx context.Context, q Request, err error) (Reply, error) {
	e, ok := errors.AsType[*incidents.Error](err)
	switch {
	case ok:
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		e = incidents.Fail(incidents.Unavailable, "error.too_slow", "it took too long and was given up")
	default:
		ref := r.reference()
		r.log.ErrorContext(ctx, "command failed", "reference", ref, "person", Line(q.Person.ID, 200), "incident", q.Incident.String(), "error", err.Error())
		e = incidents.Fail(incidents.Internal, "error.internal", "internal error "+ref, "reference", ref)
	}
	return refusal(q.Lang, e), e
}

// refusal says an error in the person's language, with what they can do.
func refusal(lang string, e *incidents.Error) Reply {
	m := &Message{Kind: KindReply, Tone: ToneWarn, At: time.Now(), Text: ErrorText(lang, e)}
	if e.Hint != "" {
		m.Text += "\n" + phrases.T(lang, "reply.try", "hint", Line(e.Hint, 200))
	}
	return Reply{Message: m, Private: true}
}

// ErrorText says an error in the reader's language.
func ErrorText(lang string, e *incidents.Error) string {
	if phrases.Has(e.Phrase) {
		return phrases.Fill(lang, e.Phrase, words(lang, e.Args))
	}
	return Line(e.Message, 500)
}

// unknown says that there is no such verb, and which ones look like it.
func (r *Router) unknown(verb string) *incidents.Error {
	verb = Line(verb, 40)
	near := Guess(verb, slices.Sorted(maps.Keys(r.verbs)))
	if len(near) == 0 {
		return incidents.Fail(incidents.Invalid, "error.unknown_verb", "there is no command "+verb, "verb", verb).WithHint("/inc help")
	}
	return incidents.Fail(incidents.Invalid, "error.did_you_mean", "there is no command "+verb+"; did you mean "+near[0]+"?",
		"verb", verb, "near", near[0]).WithHint("/inc " + near[0])
}
