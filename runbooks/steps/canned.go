package steps

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Canned is what a step would have found, for tests of runbooks: it is judged as
// the real thing is, and nothing is carried out.
type Canned struct {
	Exit   int       // command, ssh
	Status int       // http
	Stdout string    // command, ssh; the body of an http reply; the matching lines of a log
	Stderr string    // command, ssh
	Values []float64 // promql, influxql: one of each series; none: the query finds nothing
}

// Judge says what came of the step if it had found this.
func Judge(step incidents.Step, c Canned) incidents.StepResult {
	expect, err := ParseExpect(step.Expect)
	if err != nil {
		return Failed(Bad(err))
	}
	var result incidents.StepResult
	switch step.Kind {
	case KindCommand, KindSSH, KindAnsible, KindRundeck, KindKompira:
		said := &speech{}
		for _, part := range []struct {
			to   *output
			text string
		}{{&said.out, c.Stdout}, {&said.err, c.Stderr}} {
			_, _ = part.to.Write([]byte(part.text)) // never fails
			_, _ = said.both.Write([]byte(part.text))
		}
		result = judgeCommand(expect, c.Exit, said)
	case KindHTTP:
		result = judgeReply(expect, c.Status, []byte(c.Stdout))
	case KindPromQL, KindInfluxQL:
		samples := make([]sample, len(c.Values))
		for i, v := range c.Values {
			samples[i].value = v
		}
		result = judgeSamples(expect, samples)
	case KindLog:
		var found []string
		if c.Stdout != "" {
			found = strings.Split(strings.TrimSuffix(c.Stdout, "\n"), "\n")
		}
		result = judgeLines(expect, found)
	default:
		return Failed(Bad(errors.New(fmt.Sprint("no such kind: ", step.Kind))))
	}
	result.Step, result.Title = step.ID, step.Title
	return result
}
