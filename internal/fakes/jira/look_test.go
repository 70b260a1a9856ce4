package jira

import (
	"testing"
	"time"
)

// A link is right where it may lead, and nowhere else than on the web.
func TestWhereLinksLead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		host, link string
		right      bool
	}{
		{"*", "http://prometheus:9090/graph", true}, {"*", "https://p", true}, {"*", "javascript:alert(1)", false}, {"*", "http:///x", false},
		{"here.example.com", "https://here.example.com/x", true}, {"here.example.com", "https://there.example.com/x", false},
	} {
		s := New(Cloud, time.Now)
		s.Hosts = []string{c.host}
		s.harmless("description", "[source|"+c.link+"]")
		if wrongs := s.Wrongs(); (len(wrongs) == 0) != c.right {
			t.Errorf("%s where links may lead to %s: %v", c.link, c.host, wrongs)
		}
		s.Close()
	}
}
