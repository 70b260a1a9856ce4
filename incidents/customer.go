package incidents

import (
	"slices"
	"strings"
)

// Scope is whose an incident is: what a right over it is asked for.
type Scope struct {
	Customer string // "" is nobody's: our own, or opened before there were customers
	Service  string // "" is none
}

// Scope is whose it is.
func (s *Incident) Scope() Scope { return Scope{s.Customer, s.Service} }

// Scope is whose it is.
func (s *Summary) Scope() Scope { return Scope{s.Customer, s.Service} }

// Realm is a name for the scope that no other one has: two customers may each
// have a service called "shop", and what was accepted for one says nothing
// about the other.
func (c Scope) Realm() string {
	if c.Customer == "" && !strings.Contains(c.Service, "\x00") {
		return c.Service
	}
	return c.Customer + "\x00" + c.Service
}

// Customer is somebody whose systems are looked after, among others. An alert
// is theirs where its service is one of Services, or where Match is given and
// all of it holds.
type Customer struct {
	Name     string
	Services []string
	Match    []Matcher
	Tracker  string   // where their tickets are; "" leaves it to the routes
	Chats    []string // outside ones in which their incidents have rooms; nil: all there are
}

func (c *Customer) has(l Labels) bool {
	if service := l.Get("service"); service != "" && slices.Contains(c.Services, service) {
		return true
	}
	return len(c.Match) > 0 && !slices.ContainsFunc(c.Match, func(m Matcher) bool { return !m.Matches(l) })
}

// Customers in order: the first that an alert belongs to has it.
type Customers []Customer

// Of is the customer that an alert with these labels belongs to; "" is nobody.
func (all Customers) Of(l Labels) string {
	for i := range all {
		if all[i].has(l) {
			return all[i].Name
		}
	}
	return ""
}

// named is the customer of that name; nil where it is not configured any more.
func (all Customers) named(name string) *Customer {
	for i := range all {
		if name != "" && all[i].Name == name {
			return &all[i]
		}
	}
	return nil
}

// Apart is the key of a group of alerts of one customer: whatever the rules
// and the senders say, two customers never share an incident.
func (all Customers) Apart(key Key, l Labels) Key {
	if name := all.Of(l); name != "" {
		return KeyOf("customer", name, key.String())
	}
	return key
}

// chats are those in which the incident has rooms.
func (s *Incident) chats(p Policy, among []string) []string {
	c := p.Customers.named(s.Customer)
	if c == nil || c.Chats == nil {
		return among
	}
	return slices.DeleteFunc(slices.Clone(among), func(chat string) bool {
		return chat != consoleChat && !slices.Contains(c.Chats, chat)
	})
}

// consoleChat has a room of every incident: it asks each reader's rights.
const consoleChat = "console"
