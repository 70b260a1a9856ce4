package ssh

import (
	"errors"
	"fmt"
	"strings"
)

// maxCommand bounds a command line, in bytes. The remote shell gets it as one
// argument, of which Linux takes 128 KiB (MAX_ARG_STRLEN, execve(2)).
const maxCommand = 64 << 10

// Quote makes the one command line that a POSIX shell reads back as exactly these
// arguments. SSH has no argv: the server hands a string to the user's login shell
// (RFC 4254, section 6.5). Every argument stands in single quotes, within which
// nothing but a single quote means anything (POSIX.1-2017, Shell Command
// Language, 2.2.2).
func Quote(argv []string) (string, error) {
	if len(argv) == 0 || argv[0] == "" {
		return "", errors.New("the command is empty")
	}
	if argv[0][0] == '-' {
		return "", fmt.Errorf("%.100q is an option, not a program", argv[0])
	}
	var b strings.Builder
	for i, a := range argv {
		if strings.IndexByte(a, 0) >= 0 {
			return "", fmt.Errorf("argument %d has a NUL character, which no argument can have", i)
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteByte('\'')
		b.WriteString(strings.ReplaceAll(a, "'", `'\''`))
		b.WriteByte('\'')
		if b.Len() > maxCommand {
			return "", fmt.Errorf("the command line is longer than %d KiB", maxCommand>>10)
		}
	}
	return b.String(), nil
}
