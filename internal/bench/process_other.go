//go:build !linux

package main

import (
	"os"
	"syscall"
)

// bound: elsewhere there is no such thing, and no /proc to measure by either.
func bound() *syscall.SysProcAttr { return nil }

func datasync(f *os.File) error { return f.Sync() }
