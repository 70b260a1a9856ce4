package incidents

// Progress is how far the steps of a run have come. It is shown while they are
// carried out and then forgotten: what lasts is the run's outcome (FinishRun).
type Progress struct {
	Steps  []StepResult // those that are over
	Step   string       // the one under way; "" between two
	Title  Text         // what that one is called
	Output string       // the end of what it has said so far, clean
	Before int64        // how many bytes it had said before that
}
