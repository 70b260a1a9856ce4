package ssh

import (
	"bytes"
	"errors"
	"net"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
)

// A doorman looks at the key that a host shows before anything is said to it.
type doorman struct {
	host    host
	revoked []ssh.PublicKey

	shown      string // the fingerprint
	revokedKey bool
	passed     bool
}

var errKey = errors.New("the host's key is not the one that is pinned")

func (d *doorman) config() *ssh.ClientConfig {
	return &ssh.ClientConfig{
		User: d.host.user, Auth: []ssh.AuthMethod{ssh.PublicKeys(d.host.signer)},
		HostKeyCallback: d.look, HostKeyAlgorithms: d.algorithms(), ClientVersion: "SSH-2.0-hikeshi",
	}
}

// look is called with the key by which the host has signed this connection.
func (d *doorman) look(_ string, _ net.Addr, key ssh.PublicKey) error {
	d.shown = ssh.FingerprintSHA256(key)
	same := func(k ssh.PublicKey) bool { return bytes.Equal(k.Marshal(), key.Marshal()) }
	d.revokedKey = slices.ContainsFunc(d.revoked, same)
	d.passed = !d.revokedKey && slices.ContainsFunc(d.host.pinned, same)
	if !d.passed {
		return errKey
	}
	return nil
}

// algorithms are those of the pinned keys, so that the host shows one of them and
// not another that it has too.
func (d *doorman) algorithms() []string {
	var all []string
	for _, key := range d.host.pinned {
		kinds := []string{key.Type()}
		if key.Type() == ssh.KeyAlgoRSA { // the kind of key; as a signature it would be SHA-1
			kinds = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
		}
		for _, kind := range kinds {
			if !slices.Contains(all, kind) {
				all = append(all, kind)
			}
		}
	}
	return all
}

func (d *doorman) wanted() string {
	prints := make([]string, len(d.host.pinned))
	for i, key := range d.host.pinned {
		prints[i] = ssh.FingerprintSHA256(key)
	}
	return strings.Join(prints, ", ")
}
