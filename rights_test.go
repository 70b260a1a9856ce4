package main

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/commands"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/web"
)

// rows are the two-column rows below a heading of docs/security.md.
func rows(t *testing.T, heading string) map[string]string {
	t.Helper()
	_, section, ok := strings.Cut(read(t, "docs/security.md"), "\n## "+heading+"\n")
	if !ok {
		t.Fatalf("docs/security.md has no %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	all := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (.*) \\|$").FindAllStringSubmatch(section, -1) {
		if all[m[1]] != "" {
			t.Errorf("%s stands twice", m[1])
		}
		all[m[1]] = m[2]
	}
	return all
}

func agree(t *testing.T, what string, documented, real map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(real)) {
		if documented[name] != real[name] {
			t.Errorf("| `%s` | %s |   is not what docs/security.md says of the %s: %q", name, real[name], what, documented[name])
		}
	}
	for name := range documented {
		if real[name] == "" {
			t.Errorf("docs/security.md has the %s %s, which there is not", what, name)
		}
	}
}

// TestEveryCommandAndAddressHasItsRight: what can be asked of Hikeshi, all of it,
// and the right that it takes. Something new without a row fails.
func TestEveryCommandAndAddressHasItsRight(t *testing.T) {
	t.Parallel()
	verbs := map[string]string{}
	for _, c := range commands.All(commands.Deps{}) {
		if c.Right == "" {
			t.Errorf("/inc %s asks for no right", c.Name)
		}
		verbs[c.Name] = string(c.Right)
	}
	agree(t, "command", rows(t, "What each command asks for"), verbs)

	addresses := maps.Clone(needs)
	for _, a := range web.Addresses() {
		addresses[a.Pattern] = cmp.Or(string(a.Right), "none: anybody who can connect")
	}
	agree(t, "address", rows(t, "What each address asks for"), addresses)
}

// TestRolesAreWhatIsDocumented asks a roster for every right of every role.
func TestRolesAreWhatIsDocumented(t *testing.T) {
	t.Parallel()
	rights := []bot.Right{bot.View, bot.Respond, bot.Lead, bot.ApproveRuns, bot.FreezeAll, bot.Output, bot.Administer}
	page := read(t, "docs/security.md")
	for _, role := range bot.Roles {
		roster, err := bot.NewRoster([]bot.Member{{Name: "bea", Accounts: []string{"console:bea"}, Grants: []bot.Grant{{Roles: []bot.Role{role}}}}})
		if err != nil {
			t.Fatal(err)
		}
		row := "| `" + string(role) + "` |"
		for _, right := range rights {
			cell := " |"
			if roster.May(incidents.Actor{ID: "console:bea"}, right, bot.InGeneral) == nil {
				cell = " yes |"
			}
			row += cell
		}
		if !strings.Contains(page, row) {
			t.Errorf("docs/security.md does not have %s", row)
		}
	}
}
