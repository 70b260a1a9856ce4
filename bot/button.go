package bot

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// press is what a button stands for. Its encoded form is all a platform sees:
//
//	h1.<incident, base 36>.<verb>.<ref>.<check>
//
// at most 100 bytes (Discord's limit for a custom_id:
// https://docs.discord.com/developers/components/reference). It carries no
// authority and no data: ref is looked up in the incident, and check,
// the first 16 hex digits of a plan's digest, only says which plan the presser
// saw. The digest that is approved is the full one from the incident.
type press struct {
	incident incidents.ID
	verb     pressVerb
	ref      string // an action or a request
	check    string // the digest of the plan that was shown; of the runbook where that is what is decided about
}

type pressVerb string

// The buttons.
const (
	pressAck            pressVerb = "ack"
	pressRoom           pressVerb = "room"
	pressLead           pressVerb = "lead"
	pressResolve        pressVerb = "res"
	pressReopen         pressVerb = "reo"
	pressPostmortem     pressVerb = "pm"
	pressApproveAction  pressVerb = "apa"
	pressApproveRequest pressVerb = "apr"
	pressAskAction      pressVerb = "ask"
	pressWithdraw       pressVerb = "wdr"
	pressDeny           pressVerb = "deny"
	pressUp             pressVerb = "up"
	pressDown           pressVerb = "down"
	pressWhy            pressVerb = "why"
	pressWrongCause     pressVerb = "dwc"
	pressUnsafeNow      pressVerb = "dun"
	pressTooSlow        pressVerb = "dts"
	pressNotTheRoot     pressVerb = "dnr"
	pressWorked         pressVerb = "swk"
	pressFailed         pressVerb = "sfl"
	pressStopped        pressVerb = "sst"
	pressTrust          pressVerb = "tru"
	pressDistrust       pressVerb = "dis"
	pressUseful         pressVerb = "use"
	pressUsefulYes      pressVerb = "usy"
	pressUsefulNo       pressVerb = "usn"
)

// presses says which words of /inc a button stands for: a button can do
// nothing that could not be typed, and goes the same way.
var presses = map[pressVerb]func(p press) (verb string, args []string){
	pressAck:            func(press) (string, []string) { return "ack", nil },
	pressRoom:           func(press) (string, []string) { return "room", nil },
	pressLead:           func(press) (string, []string) { return "lead", []string{"me"} },
	pressResolve:        func(press) (string, []string) { return "resolve", nil },
	pressReopen:         func(press) (string, []string) { return "reopen", nil },
	pressPostmortem:     func(press) (string, []string) { return "postmortem", nil },
	pressApproveAction:  func(p press) (string, []string) { return "approve", []string{p.ref, planWord + p.check} },
	pressApproveRequest: func(p press) (string, []string) { return "approve", []string{requestWord + p.ref, planWord + p.check} },
	pressAskAction:      func(p press) (string, []string) { return "run", []string{p.ref, planWord + p.check} },
	pressWithdraw:       func(p press) (string, []string) { return "withdraw", []string{requestWord + p.ref} },
	pressDeny:           func(p press) (string, []string) { return "deny", []string{requestWord + p.ref} },
	pressUp:             func(p press) (string, []string) { return "vote", []string{p.ref, "up"} },
	pressDown:           func(p press) (string, []string) { return "vote", []string{p.ref, "down"} },
	pressWrongCause:     func(p press) (string, []string) { return "vote", []string{p.ref, "down", "wrong-cause"} },
	pressUnsafeNow:      func(p press) (string, []string) { return "vote", []string{p.ref, "down", "unsafe-now"} },
	pressTooSlow:        func(p press) (string, []string) { return "vote", []string{p.ref, "down", "too-slow"} },
	pressNotTheRoot:     func(p press) (string, []string) { return "vote", []string{p.ref, "down", "not-the-root"} },
	pressWhy:            func(p press) (string, []string) { return "why", []string{p.ref} },
	pressWorked:         func(p press) (string, []string) { return "settle", []string{p.ref, "worked"} },
	pressFailed:         func(p press) (string, []string) { return "settle", []string{p.ref, "failed"} },
	pressStopped:        func(p press) (string, []string) { return "settle", []string{p.ref, "stopped"} },
	pressTrust:          func(p press) (string, []string) { return "trust", []string{"accept", p.ref, planWord + p.check} },
	pressUseful:         func(press) (string, []string) { return "useful", nil },
	pressUsefulYes:      func(p press) (string, []string) { return "useful", []string{p.ref, "yes"} },
	pressUsefulNo:       func(p press) (string, []string) { return "useful", []string{p.ref, "no"} },
	pressDistrust:       func(p press) (string, []string) { return "trust", []string{"revoke", p.ref} },
}

// The words with which a line names a request and the plan that was seen:
// "/inc approve request:1 plan:0123456789abcdef".
const (
	requestWord = "request:"
	planWord    = "plan:"
)

const (
	buttonForm = "h1"
	checkSize  = 16
)

// MaxButtonID bounds an encoded button, in bytes.
const MaxButtonID = 100

func (p press) encode() string {
	return strings.Join([]string{
		buttonForm, strconv.FormatInt(int64(p.incident), 36), string(p.verb), p.ref, p.check[:min(len(p.check), checkSize)],
	}, ".")
}

func decodePress(id string) (press, bool) {
	parts := strings.Split(id, ".")
	if len(id) > MaxButtonID || len(parts) != 5 || parts[0] != buttonForm {
		return press{}, false
	}
	n, err := strconv.ParseInt(parts[1], 36, 64)
	p := press{incident: incidents.ID(n), verb: pressVerb(parts[2]), ref: parts[3], check: parts[4]}
	if _, known := presses[p.verb]; !known || err != nil || n <= 0 || len(p.check) > checkSize {
		return press{}, false
	}
	return p, p.encode() == id
}

// actionRef names an action in a button: its own id where that is short and
// plain, else the hash of it.
func actionRef(action string) string {
	if len(action) <= 60 && action != "" && strings.Trim(action, "abcdefghijklmnopqrstuvwxyz0123456789_-") == "" {
		return action
	}
	sum := sha256.Sum256([]byte(action))
	return "~" + hex.EncodeToString(sum[:8])
}

// Target is what a line or a button names: a suggested action or a request,
// and the plan that its author saw.
type Target struct {
	Rank    int    // "1": the action at this rank
	Action  string // "restart-web": the action itself, or what a button carries for it
	Request string // "request:1": a request
	Check   string // "plan:…": the beginning of the digest of the plan that was seen; "" where the line does not say
}

// ParseTarget reads the words that name one, and returns those that do not.
func ParseTarget(words []string) (t Target, rest []string) {
	for _, w := range words {
		switch {
		case strings.HasPrefix(w, planWord):
			t.Check = w[len(planWord):]
		case t.named():
			rest = append(rest, w)
		case strings.HasPrefix(w, requestWord):
			t.Request = w[len(requestWord):]
		default:
			if n, err := strconv.Atoi(w); err == nil && n > 0 {
				t.Rank = n
			} else {
				t.Action = w
			}
		}
	}
	return t, rest
}

func (t Target) named() bool { return t.Rank > 0 || t.Action != "" || t.Request != "" }

// Empty says that nothing was named.
func (t Target) Empty() bool { return !t.named() }

// Suggestion finds the suggested action; nil where there is none.
func (t Target) Suggestion(s *incidents.Incident) *incidents.Suggestion {
	for i := range s.Suggestions {
		g := &s.Suggestions[i]
		if t.Rank > 0 && g.Rank == t.Rank || t.Action != "" && (g.Action == t.Action || actionRef(g.Action) == t.Action) {
			return g
		}
	}
	return nil
}

// ActionID finds the id of an action that was suggested or run; "" where none.
func (t Target) ActionID(s *incidents.Incident) string {
	if g := t.Suggestion(s); g != nil {
		return g.Action
	}
	for i := range s.Runs {
		if id := s.Runs[i].Plan.Runbook; t.Action != "" && (id == t.Action || actionRef(id) == t.Action) {
			return id
		}
	}
	return ""
}

// Saw says whether the plan with this digest is the one that was seen. A check
// that is too short to say anything proves nothing.
func (t Target) Saw(digest string) bool {
	return t.Check == "" || len(t.Check) >= checkSize && strings.HasPrefix(digest, t.Check)
}
