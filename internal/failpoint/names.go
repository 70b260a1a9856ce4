package failpoint

// Names are the points within the stores, by where they are. The worker makes
// its names while it runs (see HIKESHI_FAILPOINT_LOG).
var Names = []string{
	// storage/journal: the intake log of storage/sqlite.
	"journal.segment.made",
	"journal.segment.written",
	"journal.append.written",
	"journal.prune.before_remove",

	// storage/sqlite: one transaction carries everything that waited.
	"sqlite.tx.begun",
	"sqlite.append.before_write",
	"sqlite.append.after_write",
	"sqlite.commit.before_write",
	"sqlite.commit.after_write",
	"sqlite.effects.before_write",
	"sqlite.post.after_write",
	"sqlite.retry.after_write",
	"sqlite.redrive.after_write",
	"sqlite.prune.after_write",
	"sqlite.tx.before_commit",
	"sqlite.tx.after_commit",
	"sqlite.tx.before_answer",
	"sqlite.claim.taken",

	// storage/redis: one script per step, so a crash is before or after it.
	"redis.append.before_send",
	"redis.append.after_reply",
	"redis.commit.before_send",
	"redis.commit.after_reply",
	"redis.claim.after_reply",
	"redis.retry.after_reply",
	"redis.ids.after_reply",
	"redis.post.before_send",
	"redis.post.after_reply",
	"redis.redrive.after_reply",
	"redis.prune.after_reply",
	"redis.lease.after_reply",
}
