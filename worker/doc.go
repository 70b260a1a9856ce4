// Package worker makes incidents happen: it folds the intake log into
// incidents, claims effects, carries them out through ports and commits what
// came of them. Nothing else moves an incident.
//
//	engine.go   one command on one incident: load, decide, commit; again on conflict
//	fold.go     the intake log, read in order, becomes commands
//	folding.go  keeps folding, in one replica, at the pace of pace.go
//	lane.go     claims the effects of one bulkhead, with retries and dead letters
//	effects.go  what each kind of effect does, and the ports it goes through
//	runs.go     a remediation: claimed by a commit, run, concluded
//	worker.go   starts and drains all of it
//
// It promises: an alert in the intake log ends up in exactly one incident;
// ordinary effects are carried out at least once and are idempotent; a
// remediation at most once: it is claimed by a commit before its first step,
// and a claimed one without an outcome is never run again.
//
// Start with worker.go.
package worker
