package incidents

import "time"

// Ref asks for an incident of a known shard. Known is the version the asker
// holds already (0: none); where it is still the latest, nothing is sent.
type Ref struct {
	ID    ID
	Shard int
	Known int64
}

// ClaimQuery asks for effects that are due.
type ClaimQuery struct {
	Shard int
	Lane  string
	Owner string        // the process that will carry them out
	Max   int           // at most so many
	Lease time.Duration // how long they are its own, unless extended
}
