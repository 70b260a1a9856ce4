package commands

import (
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// A draft is made of noted commands, after the incident, and shown to the room.
func TestADraftIsOfferedAfterwards(t *testing.T) {
	t.Parallel()
	h := withIncident(t)
	h.refused(bea, "draft", incidents.Conflict)
	h.must(bea, "note $ systemctl restart nginx")
	h.must(bea, "resolve")
	reply, err := h.say(bea, "draft")
	if err != nil || reply.Private || len(reply.Message.Code) != 1 || !strings.Contains(reply.Message.Code[0].Text, `argv: ["systemctl", "restart", "nginx"]`) {
		t.Errorf("%+v, %v", reply, err)
	}
}
