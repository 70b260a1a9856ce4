package steps

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Limits of a command's process and of each of its children (setrlimit(2)).
const (
	limitFile      = 1 << 30 // bytes of a file that it writes
	limitFiles     = 1024    // open files
	limitData      = 4 << 30 // bytes of memory that a process writes to; reserving more is free, as Java does
	limitProcesses = 512     // processes and threads of our user, beyond those that there are already
)

// limitSelf sets the limits of this process, which what it starts inherits. CPU
// seconds are those of one process: twice its timeout, for programs with several
// threads. The superuser's processes are not counted by the kernel.
func limitSelf(timeout time.Duration) error {
	for resource, most := range map[int]uint64{
		unix.RLIMIT_CPU:   uint64(timeout/time.Second)*2 + 2,
		unix.RLIMIT_FSIZE: limitFile, unix.RLIMIT_NOFILE: limitFiles, unix.RLIMIT_CORE: 0, unix.RLIMIT_DATA: limitData,
		unix.RLIMIT_NPROC: uint64(threadsOf(os.Getuid())) + limitProcesses,
	} {
		var now syscall.Rlimit
		if err := syscall.Getrlimit(resource, &now); err != nil {
			return fmt.Errorf("read limit %d: %w", resource, err)
		}
		if now.Max <= most {
			continue
		}
		if err := syscall.Setrlimit(resource, &syscall.Rlimit{Cur: most, Max: most}); err != nil {
			return fmt.Errorf("set limit %d: %w", resource, err)
		}
	}
	return nil
}

// stat is the state of a process after its name, which may hold anything: state,
// parent, … (proc_pid_stat(5)). nil where there is none.
func stat(pid int) [][]byte {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return nil
	}
	_, rest, _ := bytes.Cut(b, []byte("("))
	return bytes.Fields(rest[bytes.LastIndexByte(rest, ')')+1:])
}

// processes are the numbers of all processes that we can see.
func processes() []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var pids []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// childrenOf are the processes whose parent is pid, those that have ended too.
func childrenOf(pid int) []int {
	const parent = 1
	want := strconv.Itoa(pid)
	var found []int
	for _, p := range processes() {
		if fields := stat(p); len(fields) > parent && string(fields[parent]) == want {
			found = append(found, p)
		}
	}
	return found
}

// threadsOf counts the threads of a user's processes.
func threadsOf(uid int) int {
	const threads = 17
	total := 0
	for _, p := range processes() {
		var info unix.Stat_t
		if unix.Stat("/proc/"+strconv.Itoa(p), &info) != nil || int(info.Uid) != uid {
			continue
		}
		if fields := stat(p); len(fields) > threads {
			n, _ := strconv.Atoi(string(fields[threads]))
			total += n
		}
	}
	return total
}
