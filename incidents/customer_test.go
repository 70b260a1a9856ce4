package incidents

import (
	"slices"
	"testing"
)

func twoCustomers(t *testing.T) Customers {
	t.Helper()
	m, err := ParseMatcher(`cluster=~"gx-.*"`)
	if err != nil {
		t.Fatal(err)
	}
	return Customers{
		{Name: "acme", Services: []string{"shop"}, Tracker: "acme-desk", Chats: []string{"slack"}},
		{Name: "globex", Match: []Matcher{m}, Chats: []string{}},
	}
}

// Whose an alert is, and that two customers' alerts never have one key.
func TestWhoseAnAlertIs(t *testing.T) {
	t.Parallel()
	all := twoCustomers(t)
	keys := map[Key]string{}
	for _, c := range []struct {
		labels map[string]string
		want   string
	}{
		{map[string]string{"service": "shop"}, "acme"},
		{map[string]string{"service": "shop", "cluster": "gx-1"}, "acme"}, // the first
		{map[string]string{"service": "web", "cluster": "gx-1"}, "globex"},
		{map[string]string{"service": "Shop"}, ""},
		{map[string]string{}, ""},
	} {
		l := LabelsFromMap(c.labels)
		if got := all.Of(l); got != c.want {
			t.Errorf("%v is %q's, want %q", l, got, c.want)
		}
		key := all.Apart(KeyOf("sender", "one group"), l)
		if whose, known := keys[key]; known && whose != c.want {
			t.Errorf("%q and %q share an incident", whose, c.want)
		}
		keys[key] = c.want
	}
	if len(keys) != 3 {
		t.Errorf("%d groups of three owners", len(keys))
	}
	if got := (Customers)(nil).Apart(KeyOf("x"), nil); got != KeyOf("x") {
		t.Error("without customers keys have changed")
	}
}

// The customer is decided once; rooms and tickets are where they want them.
func TestACustomersIncident(t *testing.T) {
	t.Parallel()
	p := Policy{Chats: []string{"console", "slack", "discord"}, Customers: twoCustomers(t), Tickets: []TicketRoute{{Tracker: "ours"}}}
	for customer, want := range map[string][]string{
		"acme": {"42/room/console", "42/room/slack", "42/ticket/acme-desk"}, "globex": {"42/room/console", "42/ticket/ours"},
		"": {"42/room/console", "42/room/slack", "42/room/discord", "42/ticket/ours"},
	} {
		s, open := &Incident{}, opening(Rule{}, firing("HighErrorRate", "", noon))
		open.Customer = customer
		_, effects, err := Advance(s, open, noon, p)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range effects {
			if e.Kind == DoSyncRoom || e.Kind == DoSyncTicket {
				got = append(got, e.Key)
			}
		}
		if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
			t.Errorf("%q: %v, want %v", customer, got, want)
		}
		if sum := s.Summary(); s.Scope() != sum.Scope() || sum.Customer != customer {
			t.Errorf("%+v, %+v", s.Scope(), sum.Scope())
		}
	}
	realms := map[string]Scope{}
	for _, c := range []Scope{{"acme", "shop"}, {"globex", "shop"}, {"", "acme\x00shop"}, {"", "shop"}, {"", ""}, {"acme", ""}} {
		if other, taken := realms[c.Realm()]; taken {
			t.Errorf("%q and %q have one name", c, other)
		}
		realms[c.Realm()] = c
	}
	if _, same := realms["shop"]; !same { // what was kept before there were customers is found
		t.Error(realms)
	}
}
