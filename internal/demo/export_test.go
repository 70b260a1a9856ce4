package demo

// Fingerprint is for the test that compares it with Alertmanager's.
var Fingerprint = fingerprint
