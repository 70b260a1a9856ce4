package runbooks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

var acmesBook = strings.Replace(plainBook, "risk: low", "words: [checkout]\ncustomers: [acme]\nrisk: low", 1)

// A customer's runbook is there for their incidents only, whatever labels and words say:
// nobody else's is suggested it, looked at by its checks, or gets a plan of it.
func TestARunbookOfOneCustomer(t *testing.T) {
	t.Parallel()
	l := load(t, nil, acmesBook)
	rb, r := l.Get("restart-web"), NewRunner(RunnerOptions{Library: l})
	for customer, theirs := range map[string]bool{"acme": true, "globex": false, "": false} {
		alerted, declared := incident("service", "web"), incident("service", "web")
		declared.Declared, declared.Title = &incidents.Mark{}, "checkout is slow"
		for _, s := range []*incidents.Incident{alerted, declared} {
			s.Customer = customer
			if got := len(l.Fitting(s)) == 1; got != theirs {
				t.Errorf("%q: suggested %v", customer, got)
			}
			if got := len(r.Diagnose(t.Context(), s)) == 1; got != theirs {
				t.Errorf("%q: looked at %v", customer, got)
			}
			if plan, err := rb.Plan(s, nil); plan.Sealed() != theirs || !theirs && incidents.CodeOf(err) != incidents.NotFound {
				t.Errorf("%q: %+v %v", customer, plan, err)
			}
		}
	}
}

// Customers do not learn of one another from a runbook that two of them have.
func TestAsACustomerReadsIt(t *testing.T) {
	t.Parallel()
	rb := load(t, nil, strings.Replace(acmesBook, "[acme]", "[acme, globex]", 1)).Get("restart-web")
	if page := Sheet(rb.As("globex"), phrases.English, phrases.Fill); strings.Contains(page, "acme") || !strings.Contains(page, "incidents of globex only") {
		t.Error(page)
	}
	if !rb.For("acme") {
		t.Error("the runbook itself was changed")
	}
}

// A name that no customer has would keep a runbook from everybody, so it is refused where
// it is known who there is, be it nobody.
func TestARunbookOfNoCustomerThereIs(t *testing.T) {
	t.Parallel()
	files, dir := fstest.MapFS{"web.yaml": {Data: []byte(acmesBook)}}, t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "web.yaml"), []byte(acmesBook), 0o600); err != nil {
		t.Fatal(err)
	}
	for known, good := range map[string]bool{"?": true, "": false, "acme globex": true, "globex": false} {
		names := strings.Fields(known)
		if known == "?" {
			names = nil
		}
		l, problems := Load(Sources{Embedded: files, Customers: names})
		if bad := Errors(problems); good != (len(bad) == 0) || good != (l.Get("restart-web") != nil) {
			t.Errorf("%q: %v", known, bad)
		}
		if name := filepath.Join(dir, "web.yaml"); good != (len(Errors(Lint([]string{name}, nil, names...))) == 0) {
			t.Errorf("the linter, of %q: not %v", known, good)
		}
		if bad := Errors(problems); !good && len(bad) > 0 && !strings.HasPrefix(bad[0].Text(phrases.English, phrases.Fill), "web.yaml:5: error: the configuration has no customer acme\n") {
			t.Errorf("%q: %s", known, bad[0].Text(phrases.English, phrases.Fill))
		}
	}
}

// A test of a customer's runbook plays in an incident of theirs, or of whom it says.
func TestRehearseForACustomer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"web.yaml": acmesBook,
		"web" + TestSuffix: "runbook: web.yaml\ncases:\n  - {name: theirs, labels: {service: web}, want: {fits: true, runs: [systemctl restart web.service]}}\n" +
			"  - {name: others, customer: globex, labels: {service: web}, want: {fits: false, nothing: true}}\n  - {name: nobodys, customer: '', labels: {service: web}, want: {fits: true}}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	results, err := Rehearse(dir)
	if err != nil || len(results) != 3 {
		t.Fatal(results, err)
	}
	for i, wrong := range []int{0, 0, 1} {
		if len(results[i].Wrong) != wrong {
			t.Errorf("%+v", results[i])
		}
	}
}
