package slack

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	api "github.com/slack-go/slack"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// refused is Slack's own word for why it did nothing; "" where it gave none.
func refused(err error) string {
	if e, ok := errors.AsType[api.SlackErrorResponse](err); ok {
		return e.Err
	}
	return ""
}

// ambiguous says whether a request may have been carried out all the same: the
// connection broke, the answer was lost, or is not one of Slack's.
func ambiguous(err error) bool {
	if err == nil {
		return false
	}
	if _, limited := asTooMany(err); limited {
		return false
	}
	switch refused(err) {
	case "":
		_, unsent := errors.AsType[*unsentError](err)
		return !unsent
	case "fatal_error", "internal_error", "service_unavailable", "request_timeout":
		return true // "It's possible some aspect of the operation succeeded before the error was raised."
	}
	return false
}

// unsentError is an error from before anything was sent.
type unsentError struct{ error }

func (e *unsentError) Unwrap() error { return e.error }

// explain says in words what Slack's errors mean, and what can be done about
// them. A scope, a token or a preference that is missing can be mended while the
// worker tries again, for a day; a room that somebody archived or deleted is
// left alone, and the console says so at once.
func explain(method string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*incidents.Later](err); ok {
		return err
	}
	fail := func(code incidents.Code, phrase, message string, args ...string) error {
		return fmt.Errorf("%w (%w)", incidents.Fail(code, phrase, message, append(args, "method", method)...).WithHint("hikeshi slack doctor"), err)
	}
	e, ok := errors.AsType[api.SlackErrorResponse](err)
	if !ok {
		if errors.Is(err, context.Canceled) {
			return err
		}
		return fail(incidents.Unavailable, "slack.error.away", "slack did not answer "+method+" as it should", "error", clip(err.Error()))
	}
	switch e.Err {
	case "missing_scope", "not_allowed_token_type":
		return fail(incidents.Unavailable, "slack.error.scope", "the app lacks the scope "+e.Needed+" for "+method, "scope", e.Needed, "has", e.Provided)
	case "invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "no_permission", "org_login_required":
		return fail(incidents.Unavailable, "slack.error.token", "slack does not take the token any more: "+e.Err, "error", e.Err)
	case "restricted_action":
		return fail(incidents.Unavailable, "slack.error.restricted", "the workspace does not let the app do this: "+method, "error", e.Err)
	case "is_archived", "channel_not_found", "not_in_channel":
		return fail(incidents.NotFound, "slack.error.gone", "the room is archived, deleted, or the bot was removed from it", "error", e.Err)
	}
	return fail(incidents.Unavailable, "slack.error.other", "slack refused "+method+": "+e.Err, "error", clip(e.Err+" "+strings.Join(e.ResponseMetadata.Messages, " ")))
}

// later is a failure that Slack said when to try again after.
func later(method string, after time.Duration, err error) error {
	return &incidents.Later{After: after, Err: fmt.Errorf("%w (%w)",
		incidents.Fail(incidents.Overloaded, "slack.error.limited", "slack lets us call "+method+" again in "+after.String(), "method", method, "for", after.String()), err)}
}

// clip bounds what of a foreign error goes into a sentence.
func clip(s string) string {
	if len(s) > 300 {
		s = strings.ToValidUTF8(s[:300], "") + "…"
	}
	return s
}
