// Package fault words what a store answers when it cannot do as it was told,
// the same for both stores.
//
// Everything meant for people is an *incidents.Error in the chain; the cause,
// which may name hosts and paths, is added for the log only. Start with
// [Unavailable].
package fault

import (
	"fmt"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// failure joins what people see with what the log needs.
type failure struct {
	doing string
	said  *incidents.Error
	cause error
}

func (f *failure) Error() string {
	if f.cause == nil {
		return f.doing + ": " + f.said.Message
	}
	return fmt.Sprintf("%s: %s: %v", f.doing, f.said.Message, f.cause)
}

func (f *failure) Unwrap() []error {
	if f.cause == nil {
		return []error{f.said}
	}
	return []error{f.said, f.cause}
}

// Unavailable says that the store is away or cannot write: nobody knows
// whether it happened, and trying again later is right.
func Unavailable(doing string, cause error) error {
	said := incidents.Fail(incidents.Unavailable, "error.store_away", "the store is not available")
	return &failure{doing, said.WithHint("repeat it in a few seconds; /readyz says what is wrong"), cause}
}

// Overloaded says that intake is full: nothing was written.
func Overloaded(doing string) error {
	said := incidents.Fail(incidents.Overloaded, "error.overloaded", "too much is waiting already")
	return &failure{doing, said.WithHint("send it again after the time in Retry-After"), nil}
}

// NoIncident says that there is no such incident, in the words in which one is
// told who may not see it (see bot.NoIncident). Which one, the log is told.
func NoIncident(id incidents.ID) error {
	said := incidents.Fail(incidents.NotFound, "error.no_incident", "there is no such incident")
	return &failure{"load " + id.String(), said.WithHint("/inc list"), nil}
}

// NoDeadLetter says that no effect was given up under this key.
func NoDeadLetter(key string) error {
	return incidents.Fail(incidents.NotFound, "error.no_dead_letter", "no effect was given up under the key "+key, "key", key).WithHint("the console lists the dead letters")
}

// Shards says that the store was made with another number of shards, which
// cannot change: everything in it is spread over them.
func Shards(where string, stored, wanted int) error {
	return incidents.Fail(incidents.Invalid, "error.store_shards",
		fmt.Sprintf("the store %s has %d shards and cannot be opened with %d", where, stored, wanted),
		"where", where, "stored", fmt.Sprint(stored), "wanted", fmt.Sprint(wanted)).
		WithHint(fmt.Sprintf("set shards to %d, or leave it out", stored))
}

// Schema says that a newer Hikeshi wrote the store.
func Schema(where string, stored, known int) error {
	return incidents.Fail(incidents.Invalid, "error.store_schema",
		fmt.Sprintf("the store %s was written by a newer hikeshi (schema %d, this one knows %d)", where, stored, known),
		"where", where, "stored", fmt.Sprint(stored), "known", fmt.Sprint(known)).
		WithHint("run the newer version again; going back would lose what only it understands")
}

// InUse says that another process has the data directory.
func InUse(dir, holder string) error {
	return incidents.Fail(incidents.Conflict, "error.store_in_use",
		fmt.Sprintf("the data directory %s is in use by another hikeshi%s", dir, holder), "dir", dir, "holder", holder).
		WithHint("stop that one first, or give this one another directory: --data DIR")
}
