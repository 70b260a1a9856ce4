package incidents

import "time"

// Ref points at an incident whose state may be at hand already.
type Ref struct {
	ID    ID
	Shard int
	Known int64 // the version at hand; 0 for none
}

// AnyShard in a ClaimQuery asks all shards.
const AnyShard = -1

// ClaimQuery asks for effects that are due: the most urgent first, among these
// the one that has waited longest.
type ClaimQuery struct {
	Shard int // or AnyShard
	Lane  string
	Owner string        // who asks, for the log of whoever looks for a lost effect
	Max   int           // at most so many; 0 means 1
	Lease time.Duration // how long the claims hold; 0 means 30 s
}

// Backlog is what still has to be done.
type Backlog struct {
	Lanes    map[string]LaneBacklog
	Unfolded int64 // intake entries that at least one shard has not folded
	Dead     int   // effects that were given up
}

// LaneBacklog is one lane's part of it.
type LaneBacklog struct {
	Waiting int       // effects that wait, timers included
	Claimed int       // effects that somebody is carrying out
	Oldest  time.Time // when the first of them is due (a claimed one: when its lease ends); zero: there is none
}
