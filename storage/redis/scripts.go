package redis

import (
	"embed"
	"strings"

	"github.com/redis/go-redis/v9"
)

//go:embed scripts/*.lua
var sources embed.FS

// script puts the files end to end after the prelude, without their comments,
// which no server needs.
func script(names ...string) *redis.Script {
	var b strings.Builder
	for _, name := range append([]string{"prelude"}, names...) {
		src, err := sources.ReadFile("scripts/" + name + ".lua")
		if err != nil {
			panic("redis: " + err.Error()) // embedded: cannot be missing
		}
		for line := range strings.Lines(string(src)) {
			if !strings.HasPrefix(strings.TrimSpace(line), "--") {
				b.WriteString(line)
			}
		}
	}
	return redis.NewScript(b.String())
}

var (
	appendScript   = script("append")
	commitScript   = script("queue", "commit")
	claimScript    = script("queue", "claim")
	dueScript      = script("queue", "due")
	extendScript   = script("queue", "extend")
	retryScript    = script("queue", "retry")
	redriveScript  = script("queue", "redrive")
	backlogScript  = script("queue", "backlog")
	deadScript     = script("dead")
	loadScript     = script("load")
	idsScript      = script("ids")
	aboutScript    = script("about")
	leaseScript    = script("lease")
	postScript     = script("post")
	postingsScript = script("postings")
	pruneScript    = script("prune")

	auditScript     = script("audit")
	auditReadScript = script("auditread")
	settingScript   = script("setting")
	putScript       = script("put")
	pushScript      = script("push")
	pullScript      = script("pull")
)
