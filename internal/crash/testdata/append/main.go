// Append is the remedy of the crash tests' story: it appends the execution's
// id to a file, so that the file says what ran how often. With a second
// argument it first waits until that file exists. It is a program of its own
// because it starts in a millisecond.
package main

import (
	"fmt"
	"os"
	"time"
)

func main() {
	for len(os.Args) > 2 {
		if _, err := os.Stat(os.Args[2]); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := appendTo(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func appendTo(path string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(os.Getenv("RB_EXECUTION_ID") + "\n")
	return err
}
