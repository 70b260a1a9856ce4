package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/intake"
	"github.com/hikeshi-ops/hikeshi/integrations/ssh"
	"github.com/hikeshi-ops/hikeshi/storage"
	"github.com/hikeshi-ops/hikeshi/web"
)

// settler checks a configuration and gathers all that is wrong with it.
type settler struct {
	Settled
	senders  map[string]string // whose is what each source sends
	problems []problem
	unread   []problem // calendar files: a mistake among others, and no reason alone not to start
}

// Settle checks everything and reports all problems together, those of the file
// itself included.
func (c Config) Settle() (*Settled, error) {
	s := &settler{Settled: Settled{Config: c}, problems: slices.Clone(c.problems)}
	s.basics()
	s.people()
	s.provider()
	s.customers()
	s.roster()
	s.sources()
	s.schedules()
	s.calendar()
	s.trust()
	s.learning()
	s.audit()
	s.chats()
	s.slack()
	s.tickets()
	s.discord()
	for i, r := range c.Grouping {
		s.Rules = append(s.Rules, s.rule(fmt.Sprintf("grouping[%d]", i), r))
	}
	if err := c.Runbooks.Steps().Validate(); err != nil {
		s.note(wrong("runbooks", "config.other", "error", err.Error()))
	}
	s.stepsElsewhere()
	s.diagnostics()
	s.watch()
	unread := c.from.problemsError(s.unread)
	if len(s.problems) == 0 {
		s.Settled.Unread = unread
		return &s.Settled, nil
	}
	return nil, c.from.problemsError(append(s.problems, s.unread...))
}

func (s *settler) diagnostics() {
	settled, wrong := s.Diagnostics.Settle(ssh.New(s.elsewhere.inventory), s.CustomerRules)
	s.Asked = settled
	s.Asked.Senders = s.senders
	for _, p := range wrong {
		s.note(problem{key: "diagnostics." + p.Key, what: p.What})
	}
}

func (s *settler) note(p ...problem) { s.problems = append(s.problems, p...) }

func (s *settler) basics() {
	c := &s.Config
	if !slices.Contains(phrases.Languages, c.Language) {
		s.note(wrong("language", "config.one_of", "value", c.Language, "known", strings.Join(phrases.Languages, ", ")))
	}
	if !goodAddress(c.Listen) {
		s.note(wrong("listen", "config.listen", "value", c.Listen))
	} else if len(c.Console.People) == 0 && c.Console.OIDC.Issuer == "" && !loopbackOnly(c.Listen) {
		s.note(wrong("listen", "config.open", "value", c.Listen).try("config.hint.people"))
	}
	if err := s.LogLevel.UnmarshalText([]byte(c.Log.Level)); err != nil {
		s.note(wrong("log.level", "config.one_of", "value", c.Log.Level, "known", "debug, info, warn, error"))
	}
	if c.Log.Format != "text" && c.Log.Format != "json" {
		s.note(wrong("log.format", "config.one_of", "value", c.Log.Format, "known", "text, json"))
	}
	if !GoodLink(c.PublicURL) {
		s.note(wrong("public_url", "config.public_url", "value", c.PublicURL))
	}
	if strings.ContainsRune(c.Data, 0) {
		s.note(wrong("data", "config.data", "value", c.Data))
	}
	s.StoreURL = s.secret("store", c.Store, c.StoreFile)
	s.note(problemsOf(storage.Validate(storage.Config{URL: s.StoreURL, Shards: c.Shards}), func(e *incidents.Error) string {
		if e.Phrase == "error.store_many_shards" {
			return "shards"
		}
		return "store"
	})...)
}

// goodAddress says whether one can listen there, as far as can be told.
func goodAddress(addr string) bool {
	_, _, err := net.SplitHostPort(addr)
	return err == nil && !strings.ContainsFunc(addr, unicode.IsControl)
}

// GoodLink says whether a browser could follow it; "" is none.
func GoodLink(link string) bool {
	u, err := url.Parse(link)
	return link == "" || err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil
}

// secret returns the value, or the content of the file without its last
// newline. Both at once are refused.
func (s *settler) secret(key string, value Secret, file string) string {
	switch {
	case value != "" && file != "":
		s.note(wrong(key, "config.secret_twice", "file", key[strings.LastIndex(key, ".")+1:]+"_file"))
		return ""
	case file == "":
		return string(value)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		s.note(wrong(key+"_file", "config.secret_file", "file", file, "error", Cause(err)))
		return ""
	}
	return strings.TrimRight(string(b), "\r\n")
}

func (s *settler) people() {
	for i, p := range s.Console.People {
		key := fmt.Sprintf("console.people[%d]", i)
		before := len(s.problems)
		token := s.secret(key+".token", p.Token, p.TokenFile)
		who := web.Person{Name: p.Name, Token: token}
		s.Settled.ConsolePeople = append(s.Settled.ConsolePeople, who)
		if len(s.problems) == before { // else its token is not known
			s.note(problemsOf(web.Config{People: []web.Person{who}}.Validate(), func(e *incidents.Error) string { return key + "." + e.Args["key"] })...)
		}
	}
}

func (s *settler) sources() {
	var read []intake.Source // the others' tokens could not be, and would look like short ones
	var at []int
	for i, c := range s.Config.Sources {
		key := fmt.Sprintf("sources[%d]", i)
		before := len(s.problems)
		src := intake.Source{Name: c.Name, Tokens: []intake.Token{intake.Token(s.secret(key+".token", c.Token, c.TokenFile))}}
		if c.NextToken != "" || c.NextTokenFile != "" {
			src.Tokens = append(src.Tokens, intake.Token(s.secret(key+".next_token", c.NextToken, c.NextTokenFile)))
		}
		s.Settled.Intake = append(s.Settled.Intake, src)
		s.sends(key, &c)
		if len(s.problems) == before {
			read, at = append(read, src), append(at, i)
		}
	}
	s.note(problemsOf(intake.ValidateSources(read), func(e *incidents.Error) string {
		i, _ := strconv.Atoi(e.Args["index"])
		return fmt.Sprintf("sources[%d].%s", at[i], e.Args["key"])
	})...)
}

func (s *settler) rule(key string, c Rule) incidents.Rule {
	quiet := incidents.DefaultQuiet
	if c.Quiet != nil {
		quiet = time.Duration(*c.Quiet)
	}
	r := incidents.Rule{
		Name: c.Name, GroupBy: c.GroupBy, Window: time.Duration(c.Window), Hold: time.Duration(c.Hold),
		Reopen: time.Duration(c.Reopen), Quiet: quiet,
	}
	if c.Name == "" {
		s.note(wrong(key, "config.rule_name"))
	}
	for i, text := range c.Match {
		m, err := incidents.ParseMatcher(text)
		if err != nil {
			s.note(badMatcher(fmt.Sprintf("%s.match[%d]", key, i), text, err))
		}
		r.Match = append(r.Match, m)
	}
	if c.Severity != "" {
		sev, ok := incidents.ParseSeverity(c.Severity)
		if !ok {
			s.note(wrong(key+".severity", "config.one_of", "value", c.Severity, "known", "SEV1, SEV2, SEV3, SEV4, SEV5"))
		}
		r.Severity = sev
	}
	return r
}

func badMatcher(key, text string, err error) problem {
	if bad, ok := errors.AsType[*syntax.Error](err); ok {
		return wrong(key, "config.matcher_pattern", "matcher", text, "error", bad.Error())
	}
	return wrong(key, "config.matcher", "matcher", text).try("config.hint.matcher")
}
