// Package runbooks is what Hikeshi can do about an incident: runbooks, which
// people write as YAML files, and the executors that carry their steps out. A
// runbook has one shape, check → recover → verify → escalate; one that only
// checks is a diagnostic and runs by itself.
//
// It promises:
//
//   - What runs is what was approved. A plan ([Runbook.Plan]) has every argument
//     resolved and is sealed; a runner refuses a plan that is not sealed, or whose
//     runbook's file has changed since.
//   - A runbook with branches goes one way, which is chosen from what its checks
//     found before anybody approves; a plan has no conditions in it. Where the
//     checks lead elsewhere by the time of the run, nothing is run.
//   - Data from outside never becomes code. A parameter fills part of one argument
//     of an argv, one percent-encoded component of a URL, or one escaped string
//     literal of a PromQL query; there is no shell and no template language.
//   - A step ends. It has a timeout, its processes form a group that is killed as
//     a whole, its output is bounded, and secrets are struck out of what leaves
//     the package.
//   - A bad file changes nothing: all its problems are reported together, and the
//     runbooks that were loaded before stay.
//
// Start with [Parse] for the format, [Runbook.Plan] for how a runbook becomes a
// plan, and [Runner] for how a plan is carried out. [Library] holds the runbooks
// that are loaded.
package runbooks
