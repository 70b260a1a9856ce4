// Package testenv gives tests the real programs they run against: a
// redis-server, a Prometheus, an Alertmanager, an OpenSSH server and a Chromium,
// each started for one test on a free loopback port and ended with it.
//
// It promises three things. A missing program is never silent: [Need] skips the
// test and notes it in the file named by HIKESHI_SKIPS, which `make test` prints
// at the end, and with CI=true it fails the test instead. A port is never
// shared: a program counts as started only when the listening socket belongs to
// the process that was started, otherwise another port is tried. And nothing
// outlives the test: every process is ended by its own pid and reaped in a
// cleanup. Only npm's packages stay, in the user's cache directory.
//
// Start with [Redis], [Prometheus], [Alertmanager], [SSHD], [Chromium] or [Node]; for
// another program start with [Need]. Only tests import this package.
package testenv
