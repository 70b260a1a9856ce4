package conformance

import (
	"bytes"
	"os"
	"os/exec"
	"sync"
	"testing"
)

// Child starts this test binary again, with more in its environment, by which
// its TestMain knows that it is the child. The child ends with the test.
func Child(t *testing.T, env ...string) (*exec.Cmd, *Output) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), env...)
	out := &Output{enough: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	check(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // where the test failed before it did
		_ = cmd.Wait()
	})
	return cmd, out
}

// Output is what a child has said so far.
type Output struct {
	mu     sync.Mutex
	buf    bytes.Buffer
	want   int
	enough chan struct{}
}

func (o *Output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.buf.Write(b)
	o.tell()
	return len(b), nil
}

func (o *Output) tell() {
	if o.want > 0 && o.buf.Len() >= o.want {
		o.want = 0
		close(o.enough)
	}
}

func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// After returns a channel that is closed once the child has said so many bytes.
// It may be called once.
func (o *Output) After(bytes int) <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.want = bytes
	o.tell()
	return o.enough
}
