package discord

import (
	"strings"

	"github.com/bwmarrin/discordgo"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
)

// formPrefix begins the ids of our forms: what follows is the verb, and the
// incident where the person named one.
const formPrefix = "form."

// formFor is the form that asks for what a verb cannot do without; nil where
// nothing is missing.
func formFor(verb string, values map[string]string, lang string) *answer {
	var rows []row
	switch {
	case verb == "declare" && values["title"] == "":
		rows = []row{asked("title", lang, 1, 200, true), asked("severity", lang, 1, 4, false)}
	case verb == "note" && values["text"] == "":
		rows = []row{asked("text", lang, 2, maxInput, true)}
	case verb == "run" && values["action"] == "":
		rows = []row{asked("action", lang, 1, 200, true), asked("parameters", lang, 2, 1000, false)}
	default:
		return nil
	}
	id := formPrefix + verb + "." + strings.ToLower(values["incident"])
	if len(id) > maxCustomID {
		id = formPrefix + verb + "."
	}
	return &answer{Type: answerForm, Data: &answerData{ID: id, Title: cut(phrases.T(lang, "discord.form."+verb), maxModal), Components: rows}}
}

// asked is one field: style 1 has one line, 2 several.
func asked(name, lang string, style, most int, required bool) row {
	return row{discordgo.ActionsRowComponent, []part{{
		Type: discordgo.TextInputComponent, ID: name, Label: cut(phrases.T(lang, "discord.field."+name), maxModal), Style: style, MaxLength: most, Required: &required,
	}}}
}

// formLine is the line that a form that was filled in stands for.
func formLine(i *interaction) string {
	verb, id, _ := strings.Cut(strings.TrimPrefix(i.Data.ID, formPrefix), ".")
	values := map[string]string{}
	for _, r := range i.Data.Rows {
		for _, p := range r.Parts {
			values[p.ID] = strings.TrimSpace(p.Value)
		}
	}
	line := verb
	for _, name := range map[string][]string{"declare": {"severity", "title"}, "note": {"text"}, "run": {"action", "parameters"}}[verb] {
		v := values[name]
		if name == "parameters" {
			v = strings.Join(strings.Fields(v), " ")
		}
		if v != "" {
			line += " " + v
		}
	}
	if id != "" {
		return id + " " + line
	}
	return line
}
