package ask

import (
	"fmt"

	"github.com/hikeshi-ops/hikeshi/diagnostics"
)

// Query is one question of a source that is asked for series. Service is the one
// that it is asked for, "" for all.
type Query struct {
	Title   string `yaml:"title"`
	Query   string `yaml:"query"`
	Service string `yaml:"service"`
}

// Fits says whether something that is configured for a service is asked about the
// incident of q.
func Fits(service string, q diagnostics.Question) bool {
	return service == "" || service == q.Incident.Service
}

// Each asks n questions at the same time. Those that fail are told; the others
// still count.
func Each(n int, one func(i int) (diagnostics.Answer, error)) (diagnostics.Answer, error) {
	type result struct {
		answer diagnostics.Answer
		err    error
	}
	results := make([]result, n)
	done := make(chan struct{})
	for i := range results {
		go func() {
			defer func() {
				if e := recover(); e != nil { // what an answer made of it is the source's trouble, not the process's
					results[i] = result{err: fmt.Errorf("panic: %v", e)}
				}
				done <- struct{}{}
			}()
			results[i].answer, results[i].err = one(i)
		}()
	}
	for range results {
		<-done
	}
	var all diagnostics.Answer
	var failed error
	more := 0
	for _, r := range results {
		all.Join(r.answer)
		switch {
		case r.err == nil:
		case failed == nil:
			failed = r.err
		default:
			more++
		}
	}
	if more > 0 {
		failed = fmt.Errorf("%w (+%d)", failed, more)
	}
	return all, failed
}
