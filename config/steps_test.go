package config

import (
	"bytes"
	"crypto/ed25519"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	cryptossh "golang.org/x/crypto/ssh"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/ssh"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// hostKey is one of a host, as an inventory has it, and what belongs to it.
func hostKey(t *testing.T, seed byte) (line string, private []byte) {
	t.Helper()
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	public, err := cryptossh.NewPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	block, err := cryptossh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(cryptossh.MarshalAuthorizedKey(public))), pem.EncodeToMemory(block)
}

// What an approval of an ssh step binds is where the configured inventory leads, and as
// whom: not how its file is written.
func TestContentOfAnSSHStep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	one, private := hostKey(t, 1)
	two, _ := hostKey(t, 2)
	write := func(name, text string) string {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	write("key", string(private))
	content := func(inventory, host string) string {
		t.Helper()
		s := settledFrom(t, "runbooks: {inventory: "+write("hosts.yaml", inventory)+"}\n", nil)
		sum, err := s.RunbookSources().Content(incidents.Step{Kind: steps.KindSSH, URL: ssh.Scheme + host, Argv: []string{"uptime"}})
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	const defaults = "defaults: {user: ops, key_file: key}\n"
	web := "hosts:\n  web-1: {address: 192.0.2.1, host_keys: ['" + one + "', '" + two + "']}\n"
	first := content(defaults+web, "web-1")
	if len(first) != 64 {
		t.Fatalf("%q", first)
	}
	for what, inventory := range map[string]string{
		"a comment":            "# whose they are\n" + defaults + web,
		"another order":        web + defaults,
		"the keys' order":      defaults + "hosts: {web-1: {host_keys: ['" + two + "', '" + one + "'], address: 192.0.2.1}}",
		"a key's comment":      strings.Replace(defaults+web, one, one+" root@web-1", 1),
		"another host":         defaults + web + "  web-2: {host_keys: ['" + one + "']}\n",
		"what is usual, named": strings.Replace(defaults+web, "192.0.2.1,", "192.0.2.1, port: 22, user: ops,", 1),
	} {
		if got := content(inventory, "web-1"); got != first {
			t.Errorf("%s is a change: %s, %s", what, got, first)
		}
	}
	seen := map[string]string{first: "as it was"}
	for what, inventory := range map[string]string{
		"address":    strings.Replace(defaults+web, "192.0.2.1", "192.0.2.2", 1),
		"port":       strings.Replace(defaults+web, "192.0.2.1,", "192.0.2.1, port: 2222,", 1),
		"user":       strings.Replace(defaults+web, "user: ops", "user: root", 1),
		"fewer keys": strings.Replace(defaults+web, ", '"+two+"'", "", 1),
		"other keys": strings.Replace(defaults+web, "'"+one+"', ", "", 1),
	} {
		got := content(inventory, "web-1")
		if same, twice := seen[got]; twice || len(got) != 64 {
			t.Errorf("another %s goes unseen: %q as %s", what, got, same)
		}
		seen[got] = what
	}
	if got := content(defaults+web, "web-9"); got != "" {
		t.Errorf("%q of a host that there is not", got)
	}
}
