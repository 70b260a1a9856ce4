// Package crash has the tests that kill Hikeshi, from outside: the binary,
// built with the tag chaos, dies by SIGKILL at each named point while alerts
// come in and people approve, is started again, and must have lost and doubled
// nothing. There is no code in it but tests; docs/reliability.md says what they
// prove.
//
// Start with sweep_test.go; story_test.go is what happens in each run, and
// check_test.go what must be true afterwards.
package crash
