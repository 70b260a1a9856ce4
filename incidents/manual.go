package incidents

// Manual is where people keep their own words about a runbook (手順書): a page
// of a wiki, or a file of a repository, at one of the configured trackers.
type Manual struct {
	From string `json:"from"`           // the tracker's name
	Page string `json:"page,omitempty"` // of its wiki: the page's name, or its number
	File string `json:"file,omitempty"` // of its repository: the path
	Ref  string `json:"ref,omitempty"`  // the file's branch, tag or commit; "" is the default branch
}

// None says that nobody keeps one.
func (m Manual) None() bool { return m == Manual{} }

// Place is where in the tracker it is, for people.
func (m Manual) Place() string {
	switch {
	case m.File == "":
		return m.Page
	case m.Ref == "":
		return m.File
	}
	return m.File + "@" + m.Ref
}

// Concerns says whether the runbook has to do with the incident: it is
// suggested here, somebody asked for it, or it ran.
func (s *Incident) Concerns(runbook string) bool {
	for i := range s.Suggestions {
		if s.Suggestions[i].Action == runbook {
			return true
		}
	}
	for i := range s.Approvals {
		if s.Approvals[i].Plan.Runbook == runbook {
			return true
		}
	}
	for i := range s.Runs {
		if s.Runs[i].Plan.Runbook == runbook {
			return true
		}
	}
	return false
}
