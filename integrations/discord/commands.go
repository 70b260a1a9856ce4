package discord

import (
	"slices"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
)

// word is an option of a verb, and where it stands in the line.
type word struct {
	name     string
	required bool
	complete bool     // completed from the incident
	choices  []string //
}

var (
	severities = []string{"SEV1", "SEV2", "SEV3", "SEV4", "SEV5"}
	target     = word{name: "action", complete: true}
)

// words are the options of verbs that have better ones than a text. A verb that
// is not here takes what its usage says as one text.
var words = map[string][]word{
	"approve":  {target},
	"run":      {target, {name: "parameters"}},
	"vote":     {{name: "action", complete: true, required: true}, {name: "vote", choices: []string{"up", "down", "none"}, required: true}, {name: "reason"}},
	"why":      {target},
	"severity": {{name: "severity", choices: severities, required: true}},
	"declare":  {{name: "title"}, {name: "severity", choices: severities}},
	"note":     {{name: "text"}},
	"help":     {{name: "verb", complete: true}},
	"settle":   {{name: "outcome", choices: []string{"worked", "failed", "stopped"}, required: true}, {name: "text"}},
}

// order is how the words stand in the line where that differs.
var order = map[string][]string{"declare": {"severity", "title"}}

// wordsOf are a verb's options.
func wordsOf(c *bot.Command) []word {
	all, ok := words[c.Name]
	if !ok && strings.Contains(c.Usage, " ") {
		all = []word{{name: "text"}}
	}
	if c.Room {
		all = append(slices.Clone(all), word{name: "incident"})
	}
	return all
}

// spare is the group that holds the verbs for which there is no place beside
// the others: Discord allows 25 in one place.
const spare = "more"

// option is an application command's option.
type commandOption struct {
	Type         int               `json:"type"`
	Name         string            `json:"name"`
	About        string            `json:"description"`
	AboutIn      map[string]string `json:"description_localizations,omitempty"`
	Required     bool              `json:"required,omitempty"`
	Autocomplete bool              `json:"autocomplete,omitempty"`
	Choices      []choice          `json:"choices,omitempty"`
	Options      []commandOption   `json:"options,omitempty"`
}

// application is /inc.
type application struct {
	Type    int               `json:"type"`
	Name    string            `json:"name"`
	About   string            `json:"description"`
	AboutIn map[string]string `json:"description_localizations,omitempty"`
	Options []commandOption   `json:"options"`
}

const (
	optionVerb  = 1
	optionGroup = 2
	optionText  = 3
)

// slash is /inc with every verb: 25 of them, or 24 and a group with the others.
func slash(commands []bot.Command) application {
	var verbs []commandOption
	for i := range commands {
		verbs = append(verbs, verbOption(&commands[i]))
	}
	slices.SortFunc(verbs, func(a, b commandOption) int { return strings.Compare(a.Name, b.Name) })
	if len(verbs) > maxOptions {
		rest := commandOption{Type: optionGroup, Name: spare, About: phrases.T(phrases.English, "discord.spare"), AboutIn: inJapanese("discord.spare"), Options: verbs[maxOptions-1:]}
		verbs = append(slices.Clone(verbs[:maxOptions-1]), rest)
	}
	return application{Type: 1, Name: "inc", About: phrases.T(phrases.English, "discord.inc"), AboutIn: inJapanese("discord.inc"), Options: verbs}
}

func inJapanese(key string) map[string]string {
	return map[string]string{phrases.Japanese: cut(phrases.T(phrases.Japanese, key), maxOption)}
}

func verbOption(c *bot.Command) commandOption {
	o := commandOption{Type: optionVerb, Name: c.Name, About: cut(phrases.T(phrases.English, c.Help), maxOption), AboutIn: inJapanese(c.Help)}
	all := wordsOf(c)
	slices.SortStableFunc(all, func(a, b word) int { // Discord wants the required ones first
		switch {
		case a.required == b.required:
			return 0
		case a.required:
			return -1
		}
		return 1
	})
	for _, w := range all {
		key := "discord.word." + w.name
		about, ja := phrases.T(phrases.English, key), inJapanese(key)
		if w.name == "text" {
			about, ja = c.Usage, nil
		}
		in := commandOption{Type: optionText, Name: w.name, About: cut(about, maxOption), AboutIn: ja, Required: w.required, Autocomplete: w.complete}
		for _, v := range w.choices {
			in.Choices = append(in.Choices, choice{v, v})
		}
		o.Options = append(o.Options, in)
	}
	return o
}

// given is an option as a person filled it in.
type given struct {
	Name    string  `json:"name"`
	Type    int     `json:"type"`
	Value   any     `json:"value"`
	Focused bool    `json:"focused"`
	Options []given `json:"options"`
}

// chosen is the verb and its options.
func chosen(options []given) (verb string, of []given) {
	for len(options) == 1 && (options[0].Type == optionVerb || options[0].Type == optionGroup) {
		verb, options = options[0].Name, options[0].Options
	}
	return verb, options
}

// typed makes the line of /inc that was meant, as somebody would type it; or
// the form that asks for what is missing.
func (in *Inbox) typed(i *interaction, lang string) (line string, form *answer) {
	verb, options := chosen(i.Data.Options)
	values := map[string]string{}
	for _, o := range options {
		if s, ok := o.Value.(string); ok {
			values[o.Name] = strings.TrimSpace(s)
		}
	}
	if f := formFor(verb, values, lang); f != nil {
		return "", f
	}
	return in.line(verb, values), nil
}

// line puts the words where they belong.
func (in *Inbox) line(verb string, values map[string]string) string {
	names := order[verb]
	if names == nil {
		at := slices.IndexFunc(in.Commands, func(c bot.Command) bool { return c.Name == verb })
		if at >= 0 {
			for _, w := range wordsOf(&in.Commands[at]) {
				names = append(names, w.name)
			}
		}
	}
	line := verb
	for _, name := range names {
		if v := values[name]; v != "" && name != "incident" {
			line += " " + v
		}
	}
	if id := values["incident"]; id != "" {
		return bot.Line(id, 20) + " " + line
	}
	return line
}
