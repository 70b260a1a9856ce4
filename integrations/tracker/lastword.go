package tracker

import (
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// mayTell is the rule for what both sides changed: the last person's word wins,
// and for incidents.HumanPeace after it the bot does not speak against it. What a person
// wants there and the incident cannot follow (a ticket that is to do again
// after somebody took it, a closing without the right to it) ends with that.
func (y *Syncer) mayTell(s *incidents.Incident, t *incidents.Ticket, f Field) bool {
	there, touched := t.There[string(f)]
	if !touched {
		return true
	}
	if here, human := lastWord(s, f, y.Name); human && here.After(there) {
		return true
	}
	return y.Now().Sub(there) >= incidents.HumanPeace
}

// lastWord is when the field last changed on our side, and whether a person did
// it. Where that was the tracker's own word, there is none of ours since.
func lastWord(s *incidents.Incident, f Field, tracker string) (at time.Time, human bool) {
	m := lastMark(s, f)
	if m == nil || m.At.Equal(s.Tickets[tracker].There[heard(f)]) || strings.HasPrefix(m.By.ID, tracker+":") {
		return s.CreatedAt, false
	}
	return m.At, m.By.IsPerson()
}

// lastMark is the latest change of the field on our side; nil where there is none.
func lastMark(s *incidents.Incident, f Field) *incidents.Mark {
	var marks []*incidents.Mark
	switch f {
	case Priority:
		if s.SetSeverity != nil {
			marks = append(marks, &s.SetSeverity.Mark)
		}
	case Assignee:
		marks = append(marks, s.Commander)
	case Status:
		marks = append(marks, s.AckedBy(), s.Resolved, s.Reopened, s.Closed)
	default:
		if d := todo(s, f); d != nil {
			marks = append(marks, d.Done, d.Opened, d.Dropped)
		}
	}
	var last *incidents.Mark
	for _, m := range marks {
		if m != nil && (last == nil || m.At.After(last.At)) {
			last = m
		}
	}
	return last
}
