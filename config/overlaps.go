package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// mostOverlaps are told; whoever has more has one mistake many times.
const mostOverlaps = 20

// Overlaps says which alerts belong to several customers, and whose they are: the first's.
// It is no mistake, for an order may be meant; but nobody sees it by reading the file.
func (s *Settled) Overlaps() []incidents.Reason {
	var all []incidents.Reason
	taken := map[string]bool{} // services of those before
	for i := range s.CustomerRules {
		all = append(all, overlaps(&s.CustomerRules[i], s.CustomerRules[i+1:], taken)...)
		for _, name := range s.CustomerRules[i].Services {
			taken[name] = true
		}
	}
	if more := len(all) - mostOverlaps; more > 0 {
		all = append(all[:mostOverlaps], incidents.Because("check.overlap_more", "n", strconv.Itoa(more)))
	}
	return all
}

// overlaps are those of a customer with who stands behind. What is taken already is neither's.
func overlaps(first *incidents.Customer, behind []incidents.Customer, taken map[string]bool) (all []incidents.Reason) {
	var others []string // of whom some alert may be both's
	var service, labels string
	for i := range behind {
		next := &behind[i]
		shared := slices.DeleteFunc(sharedServices(first, next), func(name string) bool { return taken[name] })
		for _, name := range shared {
			all = append(all, incidents.Because("check.overlap_service", "first", first.Name, "second", next.Name, "service", name))
		}
		if covers(first, next) {
			all = append(all, incidents.Because("check.overlap_match", "first", first.Name, "second", next.Name, "labels", told(next.Match)))
			continue
		}
		name, match := both(first, next, func(name string) bool { return taken[name] || slices.Contains(shared, name) })
		if match == nil {
			continue
		}
		if others = append(others, next.Name); len(others) == 1 {
			service, labels = name, told(match)
		}
	}
	if len(others) > 0 {
		all = append(all, incidents.Because("check.overlap_labels", "first", first.Name, "others", strings.Join(others, ", "), "service", service, "labels", labels))
	}
	return all
}

// sharedServices are those that two have, by name or by a match on the service alone.
func sharedServices(a, b *incidents.Customer) (shared []string) {
	for _, name := range a.Services {
		if slices.Contains(b.Services, name) || ofServiceOnly(b.Match) && admits(b.Match, name) {
			shared = append(shared, name)
		}
	}
	return shared
}

func ofServiceOnly(match []incidents.Matcher) bool {
	return len(match) > 0 && !slices.ContainsFunc(match, func(m incidents.Matcher) bool { return m.Label != "service" })
}

// admits says whether alerts of a service can match.
func admits(match []incidents.Matcher, service string) bool {
	l := incidents.LabelsFromMap(map[string]string{"service": service})
	return len(match) > 0 && !slices.ContainsFunc(match, func(m incidents.Matcher) bool { return m.Label == "service" && !m.Matches(l) })
}

// covers says whether all that matches the second matches the first.
func covers(first, second *incidents.Customer) bool {
	return len(first.Match) > 0 && len(second.Match) > 0 && !slices.ContainsFunc(first.Match, func(m incidents.Matcher) bool {
		return !slices.ContainsFunc(second.Match, func(other incidents.Matcher) bool {
			return m.Label == other.Label && m.Op == other.Op && m.Value == other.Value
		})
	})
}

// both is an alert of one customer's service that may carry the other's labels.
func both(a, b *incidents.Customer, but func(service string) bool) (service string, match []incidents.Matcher) {
	for _, x := range [][2]*incidents.Customer{{a, b}, {b, a}} {
		for _, name := range x[0].Services {
			if !but(name) && admits(x[1].Match, name) {
				return name, x[1].Match
			}
		}
	}
	return "", nil
}

// told is a match as it stands in the file.
func told(match []incidents.Matcher) string {
	all := make([]string, len(match))
	for i, m := range match {
		all[i] = fmt.Sprintf("%s%s%q", m.Label, m.Op, m.Value)
	}
	return strings.Join(all, ", ")
}
