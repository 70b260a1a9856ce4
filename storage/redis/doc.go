// Package redis is the store for several replicas: one Redis, or a Sentinel or
// Cluster set-up of it.
//
// Every step is one Lua script on one shard, so it happens as a whole or not at
// all, in one round trip. The keys of a shard share a hash tag, {s0} … {s15},
// so each script stays in one slot of a Cluster. The intake log is a Stream
// read by offset; the effects are sorted sets by due time with a hash of bodies
// (see docs/decisions/0002-effects-queue.md). Nothing that comes from outside
// becomes part of a key unless it is hashed.
//
// The client never retries by itself. We do, once, where an answer was lost,
// and only what is made to happen once however often it is sent: an append
// carries its writer's next number, a commit its slot's.
//
//	store.go     open, first contact, close
//	url.go       what --store may say
//	scripts/     the Lua, each script after the same prelude
//	call.go      running scripts, and what their errors mean
//	append.go    group commit into the logs
//	rings.go     what is of use for some hours only
//
// It promises what storage.Store promises, as far as the server is configured
// for it: Health says where it is not. Start with [Open].
package redis
