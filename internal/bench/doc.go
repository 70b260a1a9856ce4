// Command bench measures Hikeshi beside Alertmanager, under the same load, in
// the same run, and prints the figures beside the goals of docs/performance.md.
//
// It imports nothing of ours: it starts whole processes (the built binary,
// Debian's prometheus-alertmanager, redis-server), talks to them over loopback
// HTTP and reads their processor time and memory from /proc. So it measures
// what a user would get, and it needs Linux.
//
// It promises to be fair and bounded. Servers take turns, each alone on the
// machine but for the load generator; a slice of load goes to every server
// before the next slice to any; medians of the slices are what is printed.
// Every measurement has a time limit, works in a temporary directory, and ends
// the processes it started by their process id.
//
//	process.go   starts, watches and ends processes
//	servers.go   what is measured: Hikeshi over each store, and Alertmanager
//	payload.go   the alerts of the load
//	post.go      a connection that sends them cheaply
//	load.go      closed loops (capacity) and open loops (latency)
//	report.go    figures, goals, the table and bench.jsonl
//
// Start with main.go; measurements are listed in plan.go.
package main
