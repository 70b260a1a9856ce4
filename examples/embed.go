// Package examples is what stands beside it, embedded: a commented
// configuration, runbooks for Linux hosts to start from, and the runbooks of the
// demonstration. Tests load all of them, so what is copied from here works.
//
// Start with hikeshi.yaml; [Runbooks] and [Demo] are the runbooks.
package examples

import (
	"embed"
	"io/fs"
)

// Config is hikeshi.yaml, the commented configuration.
//
//go:embed hikeshi.yaml
var Config []byte

//go:embed runbooks/*.yaml demo/*.yaml
var files embed.FS

// Runbooks are those for Linux hosts. They use {var.site_url}.
func Runbooks() fs.FS { return folder("runbooks") }

// Demo are the runbooks of the demonstration's shop. They use {var.shop_url},
// {var.shop_dir} and {var.hikeshi}.
func Demo() fs.FS { return folder("demo") }

func folder(name string) fs.FS {
	sub, err := fs.Sub(files, name)
	if err != nil {
		panic("examples: " + err.Error()) // the names are constants
	}
	return sub
}
