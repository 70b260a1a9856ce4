package servicenow

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	condition = regexp.MustCompile(`^([a-z_.]+)(=|IN|STARTSWITH|RELATIVEGE)(.*)$`)
	literal   = regexp.MustCompile(`[0-9]{4}-[0-9]{2}-[0-9]{2}`)
)

// query is what an encoded query finds. A condition that cannot be read is left
// out, as ServiceNow does, which answers with everything, and is kept as a mistake.
func (s *Server) query(all []object, encoded string) []object {
	found := slices.Clone(all)
	var order []string
	const escaped = "\x00"
	for part := range strings.SplitSeq(strings.ReplaceAll(encoded, "^^", escaped), "^") {
		part = strings.ReplaceAll(part, escaped, "^")
		if by, sort := strings.CutPrefix(part, "ORDERBY"); sort {
			order = append(order, by)
			continue
		}
		c := condition.FindStringSubmatch(part)
		if c == nil {
			s.wrong("the condition %q cannot be read, and is left out", part)
			continue
		}
		if strings.HasSuffix(c[1], "_on") && literal.MatchString(c[3]) {
			s.wrong("%q is read in the account's time zone", part)
		}
		found = slices.DeleteFunc(found, func(row object) bool { return !s.fits(row, c[1], c[2], c[3]) })
	}
	for _, by := range slices.Backward(order) {
		column, down := strings.CutPrefix(by, "DESC")
		slices.SortStableFunc(found, func(a, b object) int {
			if down {
				a, b = b, a
			}
			return strings.Compare(text(a[column]), text(b[column]))
		})
	}
	return found
}

func (s *Server) fits(row object, column, op, want string) bool {
	v := text(row[column])
	switch op {
	case "IN":
		return slices.Contains(strings.Split(want, ","), v)
	case "STARTSWITH":
		return strings.HasPrefix(v, want)
	case "RELATIVEGE": // @minute@ago@15
		parts := strings.Split(want, "@")
		if len(parts) != 4 || parts[1] != "minute" || parts[2] != "ago" {
			s.wrong("%s is no age", want)
			return true
		}
		n, err := strconv.Atoi(parts[3])
		t, bad := time.Parse(seconds, v)
		return err == nil && bad == nil && !t.Before(s.Now().UTC().Add(-time.Duration(n)*time.Minute))
	}
	if want == "javascript:gs.getUserID()" {
		want = Bot
	}
	return v == want
}

func text(v any) string { s, _ := v.(string); return s }
