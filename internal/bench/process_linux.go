package main

import (
	"os"
	"syscall"
)

// bound makes a child end with this program, however this program ends.
func bound() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// datasync makes what was written durable, without its times.
func datasync(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }
