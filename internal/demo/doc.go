// Package demo is a small web shop that can really be broken, with everything
// around it that an incident needs: a supervisor that can restart it, visitors
// that buy from it, a watcher that raises alerts about it, and the rules with
// which a Prometheus does the same. `hikeshi demo` and the end-to-end tests are
// built from it.
//
// It promises that its faults are real and differ in their cure:
//
//   - wedge: two workers take two locks in opposite order and wait for each
//     other for ever, then the others wait for them, the queue fills, checkout
//     answers 503. Only a new process helps ([Shop.Restart]).
//   - leak: the cache directory fills up to its quota, checkout answers 507. A
//     restart does not help; removing the files does ([CleanCache]).
//   - slow: the way to the payment service is slow. A restart helps, and so does
//     waiting.
//
// The shop runs as a process of its own. Start with [RunShop], the program, and
// [StartShop], its supervisor; [RunShopctl] is the command with which a runbook
// looks at a shop, restarts it and cleans its cache. [Traffic] visits it,
// [Watcher] watches it.
package demo
