package runbooks

// Lint reads the runbooks in the files and directories and reports what is wrong
// with them, all at once. vars are the values of {var.name}; nil where they are
// not known. customers are those there are; nil: it is not known who there is.
func Lint(paths []string, vars map[string]string, customers ...string) []Problem {
	files, problems := Sources{Paths: paths}.files(true)
	first := map[string]string{}
	var read []*Runbook
	for _, f := range files {
		rb, found := Parse(f.name, f.content, vars)
		problems = append(problems, found...)
		if rb == nil {
			continue
		}
		if other, twice := first[rb.ID]; twice {
			problems = append(problems, fileProblem(f.name, "runbook.lint.id_twice", "id", rb.ID, "file", other))
		}
		first[rb.ID] = f.name
		problems = append(problems, rb.strangers(customers)...)
		read = append(read, rb)
	}
	_, found := link(withNeighbours(read, vars))
	problems = append(problems, about(found, read...)...)
	sortProblems(problems)
	return problems
}
