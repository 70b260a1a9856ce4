package ssh

import (
	"bytes"
	"crypto/ed25519"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/internal/testenv"

	"golang.org/x/crypto/ssh"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

func TestInventory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keygen := testenv.Need(t, "ssh-keygen")
	for file, passphrase := range map[string]string{"key": "", "locked": "a passphrase"} {
		if out, err := exec.Command(keygen, "-q", "-t", "ed25519", "-N", passphrase, "-C", "", "-f", filepath.Join(dir, file)).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	pub, err := os.ReadFile(filepath.Join(dir, "key.pub"))
	if err != nil {
		t.Fatal(err)
	}
	open := filepath.Join(dir, "open")
	private, _ := os.ReadFile(filepath.Join(dir, "key"))
	if err := os.WriteFile(open, private, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	keys := "host_keys: ['" + strings.TrimSpace(string(pub)) + "']"
	for name, c := range map[string]struct{ text, problem string }{
		"well":             {"defaults: {user: ops, key_file: key}\nhosts:\n  web-1: {" + keys + "}\n  db-1: {address: 192.0.2.7, port: 2222, user: db, " + keys + "}\n", ""},
		"no host key":      {"hosts: {web-1: {user: ops, key_file: key}}", "ssh-keyscan web-1"},
		"no key":           {"hosts: {web-1: {user: ops, " + keys + "}}", "no key_file"},
		"no user":          {"hosts: {web-1: {key_file: key, " + keys + "}}", "user"},
		"key is missing":   {"hosts: {web-1: {user: ops, key_file: missing, " + keys + "}}", "key_file"},
		"key is locked":    {"hosts: {web-1: {user: ops, key_file: locked, " + keys + "}}", "passphrase"},
		"key is open":      {"hosts: {web-1: {user: ops, key_file: open, " + keys + "}}", "chmod go-rwx"},
		"not a key":        {"hosts: {web-1: {user: ops, key_file: key.pub, " + keys + "}}", "key"},
		"option as a host": {"hosts: {'-oProxyCommand=id': {user: ops, key_file: key, " + keys + "}}", "neither a name nor an address"},
		"option as a user": {"hosts: {web-1: {user: -l, key_file: key, " + keys + "}}", "not a user's name"},
		"bad port":         {"hosts: {web-1: {user: ops, port: 70000, key_file: key, " + keys + "}}", "port 70000"},
		"bad host key":     {"hosts: {web-1: {user: ops, key_file: key, host_keys: [hello]}}", "hello"},
		"unknown key":      {"hosts: {web-1: {usr: ops}}", "usr"},
		"no hosts":         {"hosts: {}", "0 hosts"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(dir, strings.ReplaceAll(name, " ", "-")+".yaml")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			inv, err := ReadInventory(file)
			if c.problem != "" {
				if err == nil || !strings.Contains(err.Error(), c.problem) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := inv.Names(); !slices.Equal(got, []string{"db-1", "web-1"}) {
				t.Errorf("names %q", got)
			}
			if db, web := inv.hosts["db-1"], inv.hosts["web-1"]; db.address != "192.0.2.7:2222" || db.user != "db" || web.address != "web-1:22" || web.user != "ops" {
				t.Errorf("%+v, %+v", db, web)
			}
			if err := os.Chmod(file, 0o666); err != nil {
				t.Fatal(err)
			}
			if _, err := ReadInventory(file); err == nil || !strings.Contains(err.Error(), "chmod go-w") {
				t.Errorf("others may write to it: %v", err)
			}
		})
	}
}

// A plan binds the host that its approver saw, not only its name.
func TestContentIsOfTheHost(t *testing.T) {
	t.Parallel()
	key := func(seed byte) ssh.PublicKey {
		k, err := ssh.NewPublicKey(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize)).Public())
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	of := func(h host) string {
		inv := &Inventory{hosts: map[string]host{"web-1": h, "web-2": {address: "192.0.2.9:22"}}}
		return inv.Content(incidents.Step{Kind: "ssh", URL: Scheme + "web-1"})
	}
	one, two := key(1), key(2)
	first := of(host{address: "192.0.2.1:22", user: "ops", pinned: []ssh.PublicKey{one, two}})
	if again := of(host{address: "192.0.2.1:22", user: "ops", pinned: []ssh.PublicKey{two, one}}); first == "" || first != again {
		t.Errorf("%q, %q: the order of its keys is no change", first, again)
	}
	for what, h := range map[string]host{
		"address": {address: "192.0.2.9:22", user: "ops", pinned: []ssh.PublicKey{one, two}},
		"user":    {address: "192.0.2.1:22", user: "root", pinned: []ssh.PublicKey{one, two}},
		"keys":    {address: "192.0.2.1:22", user: "ops", pinned: []ssh.PublicKey{one}},
	} {
		if of(h) == first {
			t.Errorf("another %s goes unseen", what)
		}
	}
	if got := (*Inventory)(nil).Content(incidents.Step{URL: Scheme + "web-1"}); got != "" {
		t.Errorf("%q of no inventory", got)
	}
}
