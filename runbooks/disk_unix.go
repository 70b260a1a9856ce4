//go:build unix

package runbooks

import "syscall"

// openFlags: a named pipe that was put in a file's place does not wait.
const openFlags = syscall.O_NONBLOCK
