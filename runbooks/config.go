package runbooks

import "time"

// Config is what an operator can set. Its zero value is usable: no directories,
// no Prometheus, loopback and the hosts that the runbooks name.
type Config struct {
	Paths      []string          `yaml:"paths"`      // directories of runbooks, and files
	Vars       map[string]string `yaml:"vars"`       // values of {var.name} in runbooks
	Prometheus string            `yaml:"prometheus"` // base URL for promql steps: http://prometheus:9090
	Hosts      []string          `yaml:"hosts"`      // scheme://host[:port] that http steps may talk to; empty: those that the runbooks name, and loopback
	Addresses  []string          `yaml:"addresses"`  // CIDRs that are allowed although they are link-local or the like
	Path       string            `yaml:"path"`       // PATH of commands; empty: the usual directories
	Env        []string          `yaml:"env"`        // names of environment variables that commands get from ours
}

// Times and sizes of executions.
const (
	DiagnoseWithin = 10 * time.Second // for all checks together, and then what is not there is missing
	MaxExecutions  = 8                // commands, requests and queries of runs at once; as many checks again
	KillGrace      = 2 * time.Second  // from SIGTERM to SIGKILL
	maxOutput      = 1 << 20          // bytes of output that are kept: the first half and the last
	maxShown       = 2000             // bytes of output that leave the package, see incidents.MaxDetail
	maxLine        = 160              // bytes of a result's one line
)
