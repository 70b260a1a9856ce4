package ssh

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
	"golang.org/x/crypto/ssh"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Inventory is the hosts that steps may reach, and how. It is read once.
type Inventory struct {
	hosts   map[string]host
	revoked []ssh.PublicKey
}

// A host is one entry, looked up and checked.
type host struct {
	address string // host:port
	user    string
	signer  ssh.Signer
	pinned  []ssh.PublicKey
	bare    bool // the command goes without its lifeline
}

// fileForm is the file as it is written.
type fileForm struct {
	Defaults entryForm            `yaml:"defaults"`
	Hosts    map[string]entryForm `yaml:"hosts"`
	Revoked  []string             `yaml:"revoked"`
}

type entryForm struct {
	Address  string   `yaml:"address"`
	Port     int      `yaml:"port"`
	User     string   `yaml:"user"`
	KeyFile  string   `yaml:"key_file"`
	HostKeys []string `yaml:"host_keys"`
	Bare     bool     `yaml:"bare"` // send the command alone, for keys that are bound to certain commands
}

const (
	maxFile    = 256 << 10 // bytes of an inventory or a key
	maxHosts   = 5000
	writable   = 0o022
	readByMore = 0o077
	usualPort  = 22
)

var (
	hostForm = regexp.MustCompile(`\A[A-Za-z0-9](?:[A-Za-z0-9._:-]{0,252})\z`)
	userForm = regexp.MustCompile(`\A[A-Za-z_][A-Za-z0-9_.-]{0,63}\z`)
)

// ReadInventory reads the file and the keys that it names, whose paths are
// relative to it. All that is wrong is told at once.
func ReadInventory(name string) (*Inventory, error) {
	content, err := readOwn(name, writable, "chmod go-w")
	if err != nil {
		return nil, err
	}
	var form fileForm
	dec := yaml.NewDecoder(bytes.NewReader(content))
	dec.KnownFields(true)
	if err := dec.Decode(&form); err != nil {
		return nil, fmt.Errorf("%s is not an inventory: %w", name, err)
	}
	if len(form.Hosts) == 0 || len(form.Hosts) > maxHosts {
		return nil, fmt.Errorf("%s has %d hosts, not 1 to %d", name, len(form.Hosts), maxHosts)
	}
	inv := &Inventory{hosts: make(map[string]host, len(form.Hosts))}
	var problems []error
	if inv.revoked, err = publicKeys(form.Revoked); err != nil {
		problems = append(problems, fmt.Errorf("revoked: %w", err))
	}
	keys := &keyring{dir: filepath.Dir(name), read: map[string]ssh.Signer{}}
	for _, label := range slices.Sorted(maps.Keys(form.Hosts)) {
		h, err := form.Hosts[label].or(form.Defaults).host(label, keys)
		if err != nil {
			problems = append(problems, fmt.Errorf("host %.100q: %w", label, err))
			continue
		}
		inv.hosts[label] = h
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return inv, nil
}

// Names are the hosts' names, sorted: what parameters of type host may be.
func (inv *Inventory) Names() []string { return slices.Sorted(maps.Keys(inv.hosts)) }

// Content is the SHA-256 of where the step's command would go, and as whom: of its host's
// address, user and pinned keys. "": the host is not known, and the step cannot be run.
func (inv *Inventory) Content(step incidents.Step) string {
	if inv == nil {
		return ""
	}
	h, known := inv.hosts[strings.TrimPrefix(step.URL, Scheme)]
	if !known {
		return ""
	}
	keys := make([]string, 0, len(h.pinned))
	for _, key := range h.pinned {
		keys = append(keys, ssh.FingerprintSHA256(key))
	}
	slices.Sort(keys)
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q", h.address, h.user, keys))
	return hex.EncodeToString(sum[:])
}

// or fills in what the entry does not say.
func (e entryForm) or(d entryForm) entryForm {
	if e.Port == 0 {
		e.Port = d.Port
	}
	if e.Port == 0 {
		e.Port = usualPort
	}
	if e.User == "" {
		e.User = d.User
	}
	if e.KeyFile == "" {
		e.KeyFile = d.KeyFile
	}
	return e
}

func (e entryForm) host(label string, keys *keyring) (host, error) {
	address := e.Address
	if address == "" {
		address = label
	}
	switch {
	case !hostForm.MatchString(label), !hostForm.MatchString(address):
		return host{}, errors.New("that is neither a name nor an address")
	case e.Port < 1 || e.Port > 65535:
		return host{}, fmt.Errorf("there is no port %d", e.Port)
	case !userForm.MatchString(e.User):
		return host{}, fmt.Errorf("user %.100q is not a user's name", e.User)
	case e.KeyFile == "":
		return host{}, errors.New("it has no key_file, and there is none under defaults")
	case len(e.HostKeys) == 0:
		return host{}, fmt.Errorf("it has no host_keys, and an unknown host is never trusted: put in what `ssh-keyscan %s` says, once you have compared it with the host's own", address)
	}
	pinned, err := publicKeys(e.HostKeys)
	if err != nil {
		return host{}, fmt.Errorf("host_keys: %w", err)
	}
	signer, err := keys.signer(e.KeyFile)
	if err != nil {
		return host{}, err
	}
	return host{address: net.JoinHostPort(address, strconv.Itoa(e.Port)), user: e.User, signer: signer, pinned: pinned, bare: e.Bare}, nil
}

// publicKeys reads lines such as "ssh-ed25519 AAAA…".
func publicKeys(lines []string) ([]ssh.PublicKey, error) {
	var keys []ssh.PublicKey
	for _, line := range lines {
		key, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(line))
		if err != nil || len(options) > 0 || len(bytes.TrimSpace(rest)) > 0 {
			return nil, fmt.Errorf("%.60q is not of the form: ssh-ed25519 AAAA…", line)
		}
		if _, is := key.(*ssh.Certificate); is {
			return nil, fmt.Errorf("%.60q is a certificate, not a key", line)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// A keyring reads each private key once.
type keyring struct {
	dir  string
	read map[string]ssh.Signer
}

func (k *keyring) signer(name string) (ssh.Signer, error) {
	if !filepath.IsAbs(name) {
		name = filepath.Join(k.dir, name)
	}
	if s := k.read[name]; s != nil {
		return s, nil
	}
	content, err := readOwn(name, readByMore, "chmod go-rwx")
	if err != nil {
		return nil, fmt.Errorf("key_file: %w", err)
	}
	s, err := ssh.ParsePrivateKey(content)
	if _, locked := errors.AsType[*ssh.PassphraseMissingError](err); locked {
		return nil, fmt.Errorf("key_file: %s has a passphrase, which nobody could type here: use a key without one that may do no more than the runbooks need", name)
	}
	if err != nil {
		return nil, fmt.Errorf("key_file: %s is not a private key", name) // the error could quote it
	}
	k.read[name] = s
	return s, nil
}

// readOwn reads a plain file that others have none of these rights to.
func readOwn(name string, rights os.FileMode, mend string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("read: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a plain file", name)
	case info.Mode().Perm()&rights != 0:
		return nil, fmt.Errorf("others than its owner have rights to %s: %s %s", name, mend, name)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(b) > maxFile {
		return nil, fmt.Errorf("%s is larger than %d KiB", name, maxFile>>10)
	}
	return b, nil
}
