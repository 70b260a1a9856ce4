// Package e2e has the tests that use Hikeshi from outside, as a binary beside
// real programs: Debian's Prometheus and Alertmanager, a web shop that is
// really broken, and a browser. There is no code in it but tests.
//
// Start with main_test.go.
package e2e
