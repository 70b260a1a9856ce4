package discord

import (
	"encoding/json"
	"regexp"
)

var commandName = regexp.MustCompile(`^[-_'\p{L}\p{N}]{1,32}$`)

// goodCommands says whether Discord takes the commands.
// https://docs.discord.com/developers/interactions/application-commands
func goodCommands(all []any) *refusal {
	chat := 0
	for _, c := range all {
		c := c.(object)
		if k := number(c["type"]); k == 1 || k == 0 {
			chat++
			if bad := goodOptions(c, 0); bad != nil {
				return bad
			}
		}
	}
	if chat > 100 {
		return deny(400, 30032, "Maximum number of application commands reached (100)")
	}
	return nil
}

func goodOptions(o object, depth int) *refusal {
	if !commandName.MatchString(text(o["name"])) || text(o["name"]) != lower(text(o["name"])) {
		return invalid("name", "Command name is invalid: "+text(o["name"]))
	}
	if n := units(text(o["description"])); n < 1 || n > 100 {
		return invalid("description", "Must be between 1 and 100 in length: "+text(o["name"]))
	}
	for _, m := range []string{"name_localizations", "description_localizations"} {
		all, _ := o[m].(object)
		for lang, v := range all {
			if n := units(text(v)); lang != "ja" || n < 1 || n > 100 {
				return invalid(m, "is wrong")
			}
		}
	}
	options := list(o["options"])
	if len(options) > 25 {
		return invalid("options", "Must be 25 or fewer in length.")
	}
	optional := false
	names := map[string]bool{}
	for _, in := range options {
		in := in.(object)
		kind, required := number(in["type"]), in["required"] == true
		switch {
		case names[text(in["name"])]:
			return invalid("options", "Option names must be unique")
		case kind < 1 || kind > 11, kind == 2 && depth > 0, kind == 1 && depth > 1:
			return invalid("options.type", "is wrong")
		case required && optional:
			return invalid("options", "Required options must be placed before non-required options")
		case in["autocomplete"] == true && len(list(in["choices"])) > 0, len(list(in["choices"])) > 25:
			return invalid("options.choices", "is wrong")
		}
		names[text(in["name"])] = true
		optional = optional || !required && kind > 2
		if bad := goodOptions(in, depth+1); bad != nil {
			return bad
		}
	}
	return nil
}

func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 32
		}
	}
	return string(b)
}

// registered is what Discord says of the commands afterwards: with ids, and
// with what was left out filled in.
func registered(all []any, id func() string) json.RawMessage {
	for _, c := range all {
		c := c.(object)
		c["id"], c["application_id"], c["guild_id"], c["version"] = id(), App, Guild, id()
		rest := object{"default_member_permissions": nil, "nsfw": false, "name_localizations": nil, "description_localizations": nil, "dm_permission": true, "contexts": nil, "integration_types": []any{0}}
		for k, v := range rest {
			if _, ok := c[k]; !ok {
				c[k] = v
			}
		}
	}
	b, err := json.Marshal(all)
	if err != nil {
		panic("encode commands: " + err.Error())
	}
	return b
}
