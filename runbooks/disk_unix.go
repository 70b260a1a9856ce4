//go:build unix

package runbooks

import "syscall"

// openFlags: a symbolic link is an error, and a named pipe does not wait.
const openFlags = syscall.O_NOFOLLOW | syscall.O_NONBLOCK
