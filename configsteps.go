package main

import (
	"slices"

	"github.com/hikeshi-ops/hikeshi/integrations/ssh"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// elsewhere is what steps that act on other machines need, looked up and checked.
type elsewhere struct {
	inventory *ssh.Inventory // nil: no ssh steps
}

// stepsElsewhere reads what the configuration says about other machines.
func (s *settler) stepsElsewhere() {
	c := &s.config.Runbooks
	if c.Inventory == "" {
		return
	}
	inventory, err := ssh.ReadInventory(c.Inventory)
	if err != nil {
		s.note(wrong("runbooks.inventory", "config.other", "error", err.Error()))
		return
	}
	s.elsewhere.inventory = inventory
}

// hosts are what parameters of type host may be: the list, and the inventory.
func (s *settled) hosts() []string {
	hosts := slices.Clone(s.Runbooks.Hosts)
	if s.elsewhere.inventory != nil {
		hosts = append(hosts, s.elsewhere.inventory.Names()...)
	}
	return hosts
}

// executors carry out the kinds of steps that have a package of their own.
func (s *settled) executors() map[string]steps.Executor {
	return map[string]steps.Executor{steps.KindSSH: ssh.New(s.elsewhere.inventory)}
}
