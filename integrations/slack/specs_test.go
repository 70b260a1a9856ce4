package slack

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	fake "github.com/hikeshi-ops/hikeshi/internal/fakes/slack"
	"github.com/hikeshi-ops/hikeshi/internal/testenv"
)

// reference is a method in Slack's own reference, as HIKESHI_SPECS has it.
type reference struct {
	Args map[string]struct {
		Required bool `json:"required"`
	} `json:"args"`
	Errors map[string]string `json:"errors"`
	Rate   struct {
		Label string `json:"label"`
	} `json:"rate_limit"`
	Scopes struct {
		Bot []struct {
			Name string `json:"name"`
		} `json:"bot"`
	} `json:"scopes"`
}

// TestMethodsAreSlacks: each method that the fake knows, with its arguments,
// errors and scope, is in Slack's reference, and our rates are its tiers. The
// fake refuses everything else, so that what we send is held to it too.
func TestMethodsAreSlacks(t *testing.T) {
	t.Parallel()
	dir := testenv.Data(t, "HIKESHI_SPECS", "Slack's reference in slack-methods/")
	for method := range tiers {
		if _, known := fake.Methods[method]; !known {
			t.Errorf("the fake does not know %s, which has a rate", method)
		}
	}
	for name, m := range fake.Methods {
		b, err := os.ReadFile(filepath.Join(dir, "slack-methods", name+".json"))
		if errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Slack has no method %s", name)
			continue
		}
		var ref reference
		if err == nil {
			err = json.Unmarshal(b, &ref)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, arg := range m.Args {
			if _, ok := ref.Args[arg]; !ok {
				t.Errorf("%s has no argument %s", name, arg)
			}
		}
		for arg, a := range ref.Args {
			if a.Required && !slices.Contains(m.Needs, arg) {
				t.Errorf("%s needs %s, which the fake does not", name, arg)
			}
		}
		for _, word := range m.Errors {
			if _, ok := ref.Errors[word]; !ok {
				t.Errorf("%s does not answer %s", name, word)
			}
		}
		if scopes := ref.Scopes.Bot; m.Scope != "" && !slices.ContainsFunc(scopes, func(s struct {
			Name string `json:"name"`
		}) bool {
			return s.Name == m.Scope
		}) {
			t.Errorf("%s is not allowed by %s: %v", name, m.Scope, scopes)
		}
		if tier := regexp.MustCompile(`: (\d+)\+ per minute`).FindStringSubmatch(ref.Rate.Label); tier != nil {
			if n, _ := strconv.Atoi(tier[1]); n != tiers[name] || n != m.Tier {
				t.Errorf("%s: %s, but we take %d, and the fake %d", name, ref.Rate.Label, tiers[name], m.Tier)
			}
		}
	}
}

// TestBlocksFitSlacksTypes holds every golden message to the JSON schema that
// was made of Slack's own types for Block Kit.
func TestBlocksFitSlacksTypes(t *testing.T) {
	t.Parallel()
	dir := testenv.Data(t, "HIKESHI_SPECS", "a schema of Block Kit in slack-blockkit-*.schema.json")
	schemas, err := filepath.Glob(filepath.Join(dir, "slack-blockkit-*.schema.json"))
	if err != nil || len(schemas) == 0 {
		t.Fatalf("no schema of Block Kit in HIKESHI_SPECS: %v", err)
	}
	schema, err := jsonschema.NewCompiler().Compile(schemas[len(schemas)-1])
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate([]any{map[string]any{"type": "header"}}); err == nil {
		t.Fatal("the schema takes a header without a text")
	}
	golden, err := filepath.Glob("testdata/golden/*.json")
	if err != nil || len(golden) < 20 {
		t.Fatalf("%d golden files: %v", len(golden), err)
	}
	for _, path := range golden {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var messages []struct {
			Blocks any `json:"blocks"`
		}
		if err := json.Unmarshal(b, &messages); err != nil {
			t.Fatal(err)
		}
		for i, m := range messages {
			if err := schema.Validate(m.Blocks); err != nil {
				t.Errorf("%s, message %d: %v", filepath.Base(path), i, err)
			}
		}
	}
}
