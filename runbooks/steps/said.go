package steps

import (
	"io"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Said is what a program says somewhere else, for executors that live outside of
// this package: it is bounded and judged as what a command says here.
type Said struct{ speech speech }

// Hear makes one that whoever follows the run hears too, while it is said.
func Hear(env Env) *Said { return &Said{speech{live: env.Live}} }

// Writers take standard output and standard error.
func (s *Said) Writers() (out, err io.Writer) { return s.speech.writers() }

// Text is both, in the order in which they came, as far as it was kept.
func (s *Said) Text() string { return string(s.speech.both.bytes()) }

// Judge is what it means that the program ended with the exit code.
func (s *Said) Judge(expect Expect, code int) incidents.StepResult {
	return judgeCommand(expect, code, &s.speech)
}

// Starts says whether steps of the kind start something elsewhere that cannot be
// recognised as a repetition there. They are carried out once, whatever else a
// plan says.
func Starts(kind string) bool { return kind == KindRundeck || kind == KindKompira }
