package config

import (
	"maps"
	"regexp"
	"slices"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/kompira"
	"github.com/hikeshi-ops/hikeshi/integrations/rundeck"
	"github.com/hikeshi-ops/hikeshi/integrations/ssh"
	"github.com/hikeshi-ops/hikeshi/runbooks"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

type Ansible struct {
	Playbooks string `yaml:"playbooks"`
	Inventory string `yaml:"inventory"`
}

// Influx is where influxql steps ask. After settling, Password has what a file says too.
type Influx struct {
	URL          string `yaml:"url"`
	User         string `yaml:"user"`
	Password     Secret `yaml:"password"`
	PasswordFile string `yaml:"password_file"`
}

type Rundeck struct {
	URL       string   `yaml:"url"`
	Token     Secret   `yaml:"token"`
	TokenFile string   `yaml:"token_file"`
	Jobs      []string `yaml:"jobs"`
}

type Kompira struct {
	URL       string   `yaml:"url"`
	Token     Secret   `yaml:"token"`
	TokenFile string   `yaml:"token_file"`
	Flows     []string `yaml:"flows"`
}

// files are the paths that are relative to the configuration's file.
func (c *Runbooks) files() []*string {
	return []*string{&c.Inventory, &c.Ansible.Playbooks, &c.Ansible.Inventory, &c.Rundeck.TokenFile, &c.Kompira.TokenFile, &c.InfluxDB.PasswordFile}
}

// elsewhere is what steps that act on other machines need, looked up and checked.
type elsewhere struct {
	inventory *ssh.Inventory            // nil: no ssh steps
	carry     map[string]steps.Executor // by kind
	secrets   []string
}

// stepsElsewhere reads what the configuration says about other machines.
func (s *settler) stepsElsewhere() {
	c, to := &s.Config.Runbooks, &s.elsewhere
	var err error
	if c.Inventory != "" {
		if to.inventory, err = ssh.ReadInventory(c.Inventory); err != nil {
			s.note(wrong("runbooks.inventory", "config.other", "error", err.Error()))
		}
	}
	deck := rundeck.Config{URL: c.Rundeck.URL, Jobs: c.Rundeck.Jobs, Token: s.secret("runbooks.rundeck.token", c.Rundeck.Token, c.Rundeck.TokenFile)}
	flow := kompira.Config{URL: c.Kompira.URL, Flows: c.Kompira.Flows, Token: s.secret("runbooks.kompira.token", c.Kompira.Token, c.Kompira.TokenFile)}
	password := s.secret("runbooks.influxdb.password", c.InfluxDB.Password, c.InfluxDB.PasswordFile)
	c.InfluxDB.Password = Secret(password)
	for _, token := range []string{deck.Token, flow.Token, password} {
		if token != "" {
			to.secrets = append(to.secrets, token)
		}
	}
	to.carry = map[string]steps.Executor{steps.KindSSH: ssh.New(to.inventory)}
	if to.carry[steps.KindRundeck], err = rundeck.New(deck); err != nil {
		s.note(wrong("runbooks.rundeck", "config.other", "error", err.Error()))
	}
	if to.carry[steps.KindKompira], err = kompira.New(flow); err != nil {
		s.note(wrong("runbooks.kompira", "config.other", "error", err.Error()))
	}
}

// Hosts are what parameters of type host may be: the list, and the inventory.
func (s *Settled) Hosts() []string {
	hosts := slices.Clone(s.Runbooks.Hosts)
	if s.elsewhere.inventory != nil {
		hosts = append(hosts, s.elsewhere.inventory.Names()...)
	}
	return hosts
}

// Executors carry out all kinds of steps. Where http steps may go is what the
// configuration says, or else what origins says at the time.
func (s *Settled) Executors(origins func() []string) (map[string]steps.Executor, error) {
	want := s.Runbooks.Steps()
	want.Origins = origins
	all, err := steps.New(want)
	if err != nil {
		return nil, Problem(err)
	}
	maps.Copy(all, s.elsewhere.carry)
	return all, nil
}

// Content is the sum of what a resolved step refers to: playbooks, or a host's entry.
func (s *Settled) Content(step incidents.Step) (string, error) {
	if step.Kind == steps.KindSSH {
		return s.elsewhere.inventory.Content(step), nil
	}
	return steps.AnsibleConfig(s.Runbooks.Ansible).Content(step)
}

// RunbookSources say where the configured runbooks are.
func (s *Settled) RunbookSources() runbooks.Sources {
	return runbooks.Sources{Paths: s.Runbooks.Paths, Vars: s.Runbooks.Vars, Hosts: s.Hosts(), Customers: s.CustomerNames(), Embedded: s.Embedded, Content: s.Content}
}

// secretName is the name of a variable whose value is a secret.
var secretName = regexp.MustCompile(`(?i)pass|pwd|secret|token|key|credential|auth`)

// shortSecret is the length, in bytes, below which a value would strike out
// ordinary words.
const shortSecret = 8

// handedOn are the secrets among the variables that commands get: a command may
// print them.
func handedOn(names []string, getenv func(string) string) []string {
	var all []string
	for _, name := range names {
		if v := getenv(name); len(v) >= shortSecret && secretName.MatchString(name) {
			all = append(all, v)
		}
	}
	return all
}
