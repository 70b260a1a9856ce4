package audit

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of what a record keeps of a text, in bytes, and of a command line.
const (
	maxText = 512
	maxArg  = 256
	maxArgv = 64

	maxPeople = 10 // approvers: a plan asks for two
)

// Clean makes the record's texts harmless: everything that does not show, or
// that changes how the rest shows, is written out (\u202e, \xff), and what is
// too long is cut and says so. Seal does it to every record, so that nothing
// that came from outside stands in the audit as it came.
func (r *Record) clean() {
	for _, s := range []*string{
		&r.Replica, &r.Where, &r.Why, &r.Incident, &r.Run, &r.Approval, &r.Runbook, &r.RunbookDigest, &r.PlanDigest,
		&r.Risk, &r.Step, &r.StepKind, &r.ArgvMAC, &r.Target, &r.OutputMAC, &r.Error, &r.Before, &r.After,
		(*string)(&r.Action),
	} {
		*s = Text(*s, maxText)
	}
	r.By = r.By.clean()
	people := make([]Person, 0, min(len(r.Approvers), maxPeople))
	for _, p := range r.Approvers[:min(len(r.Approvers), maxPeople)] {
		people = append(people, p.clean())
	}
	if r.Approvers = people; len(people) == 0 {
		r.Approvers = nil
	}
	argv := make([]string, 0, min(len(r.Argv), maxArgv+1))
	for i, arg := range r.Argv {
		if i == maxArgv {
			argv = append(argv, "…(+"+strconv.Itoa(len(r.Argv)-maxArgv)+" arguments)")
			break
		}
		argv = append(argv, Text(arg, maxArg))
	}
	if r.Argv = argv; len(argv) == 0 {
		r.Argv = nil
	}
}

func (p Person) clean() Person {
	return Person{ID: Text(p.ID, maxText), Name: Text(p.Name, maxArg), From: Text(p.From, maxArg)}
}

// Text is s fit for a record: one line in which every character shows, at most
// about most bytes of it.
func Text(s string, most int) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		piece := s[i : i+size]
		switch {
		case r == utf8.RuneError && size == 1:
			piece = `\x` + hexByte(s[i])
		case !unicode.IsPrint(r): // control characters, all spaces but ' ', bidi marks, zero-width ones, line breaks
			piece = strings.Trim(strconv.QuoteRuneToASCII(r), "'")
		}
		if b.Len()+len(piece) > most {
			b.WriteString("…(+" + strconv.Itoa(len(s)-i) + " bytes)")
			break
		}
		b.WriteString(piece)
		i += size
	}
	return b.String()
}

func hexByte(c byte) string {
	const digits = "0123456789abcdef"
	return string([]byte{digits[c>>4], digits[c&15]})
}
