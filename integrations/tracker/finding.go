package tracker

import "github.com/hikeshi-ops/hikeshi/incidents"

// Finding is one thing that a doctor looked at.
type Finding struct {
	Good bool
	What incidents.Reason
	Do   incidents.Reason // what mends it; empty where it is good
}
