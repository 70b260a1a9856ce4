package incidents

import (
	"strings"
	"time"
)

// Effect is something to be done outside, as data. Its Key says what it is and
// to whom: 42/room/slack, 42/run/1, 42/timer/close. Asking for an effect that
// is already waiting changes nothing but its due time, where the new one is
// earlier; asking for one that is being done makes it be done once more
// afterwards. So effects that bring something up to date (rooms, ranking)
// coalesce, however many events ask for them.
type Effect struct {
	Key      string     `json:"key"`
	Kind     EffectKind `json:"kind"`
	Incident ID         `json:"incident"`
	Shard    int        `json:"shard"`
	Lane     string     `json:"lane"`          // the bulkhead: one slow provider delays only its own lane
	Arg      string     `json:"arg,omitempty"` // a chat, a run id, an approval id
	Due      time.Time  `json:"due"`
	Urgency  int        `json:"urgency"` // 1 the most urgent … 5, as the severity
}

// EffectKind names what is to be done.
type EffectKind string

// The kinds of effects, and who carries them out.
const (
	DoSyncRoom   EffectKind = "room"     // bring the room in chat Arg up to date, creating it if need be
	DoDiagnose   EffectKind = "diagnose" // run the read-only checks
	DoRank       EffectKind = "rank"     // rank the next actions
	DoRun        EffectKind = "run"      // run the approved plan of run Arg: at most once
	DoLook       EffectKind = "look"     // run the verify steps of run Arg
	DoSyncTicket EffectKind = "ticket"   // bring the ticket in tracker Arg up to date, opening it if need be
	DoTimer      EffectKind = "timer"    // tell the incident that its timer Arg is due
	DoArchive    EffectKind = "archive"  // put the room in chat Arg away
	DoAutomate   EffectKind = "automate" // approve the first suggestion by its standing approval, or say why not
	DoJudge      EffectKind = "judge"    // count what became of run Arg towards its runbook's trust
)

// Lanes that are no chat's.
const (
	LaneDiagnose = "diagnose"
	LaneRank     = "rank"
	LaneRun      = "run"
	LaneTimer    = "timer"
)

func (s *Incident) effect(kind EffectKind, lane, arg string, due time.Time) Effect {
	parts := []string{s.ID.String()[len("INC-"):], string(kind)}
	if arg != "" {
		parts = append(parts, arg)
	}
	return Effect{
		Key: strings.Join(parts, "/"), Kind: kind, Incident: s.ID, Shard: s.Shard,
		Lane: lane, Arg: arg, Due: due, Urgency: int(s.Severity()),
	}
}
