package discord

import (
	"image/png"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"
)

func units(s string) int {
	n := 0
	for _, r := range s {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}

func invalid(key, what string) *refusal {
	r := deny(400, 50035, "Invalid Form Body")
	r.body = object{"code": 50035, "message": "Invalid Form Body", "errors": object{key: object{"_errors": []any{object{"code": "BASE_TYPE_BAD", "message": what}}}}}
	return r
}

// good says whether Discord takes the message; what mentions or hides a link
// fails the test. s.mu is held.
func (s *Server) good(in object, files map[string]string) *refusal {
	if bad := s.may(sendMessages); bad != nil {
		return bad
	}
	s.nobodyMentioned(in)
	content, embeds, rows := text(in["content"]), list(in["embeds"]), list(in["components"])
	switch {
	case units(content) > 2000:
		return invalid("content", "Must be 2000 or fewer in length.")
	case len(embeds) > 10:
		return invalid("embeds", "Must be 10 or fewer in length.")
	case content == "" && len(embeds) == 0 && len(files) == 0:
		return deny(400, 50006, "Cannot send an empty message")
	case len(embeds) > 0 && s.Perms&embedLinks == 0, len(files) > 0 && s.Perms&attachFiles == 0:
		return deny(403, 50013, "Missing Permissions")
	}
	s.harmless("content", content)
	sum := 0
	for _, e := range embeds {
		n, bad := s.goodEmbed(e.(object))
		if bad != nil {
			return bad
		}
		sum += n
	}
	if sum > 6000 {
		return invalid("embeds", "Embed size exceeds maximum size of 6000")
	}
	if bad := s.goodFiles(in, embeds, files); bad != nil {
		return bad
	}
	return s.goodRows(rows)
}

var filename = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// goodFiles holds files and what names them against each other: a picture is
// one, says what it shows, and stands in an embed; an embed shows nothing that
// is not attached.
func (s *Server) goodFiles(in object, embeds []any, files map[string]string) *refusal {
	named := map[string]string{}
	for _, a := range list(in["attachments"]) {
		a := a.(object)
		name, content := text(a["filename"]), files["files["+text(a["id"])+"]"]
		switch {
		case content == "":
			return invalid("attachments", "no such file")
		case units(text(a["description"])) > 1024:
			return invalid("attachments.description", "Must be 1024 or fewer in length.")
		case !filename.MatchString(name):
			s.wrong("Discord would rename the file %q", name)
		case named[name] != "":
			s.wrong("two files are called %s", name)
		}
		named[name] = content
		if strings.HasSuffix(name, ".png") {
			if _, err := png.Decode(strings.NewReader(content)); err != nil {
				s.wrong("%s is no picture: %v", name, err)
			}
			if text(a["description"]) == "" {
				s.wrong("nobody who cannot see %s knows what it shows", name)
			}
		}
	}
	if len(named) != len(files) {
		s.wrong("%d files, of which %d are named", len(files), len(named))
	}
	for _, e := range embeds {
		if i, ok := e.(object)["image"].(object); ok {
			name, attached := strings.CutPrefix(text(i["url"]), "attachment://")
			if !attached || named[name] == "" {
				return invalid("embeds.image", "Unknown attachment")
			}
		}
	}
	return nil
}

func (s *Server) nobodyMentioned(in object) {
	m, ok := in["allowed_mentions"].(object)
	if !ok || len(m) != 1 || m["parse"] == nil || len(list(m["parse"])) != 0 {
		s.wrong("allowed_mentions is %v, not {parse: []}", in["allowed_mentions"])
	}
}

func (s *Server) goodEmbed(e object) (int, *refusal) {
	sum := 0
	part := func(name string, v any, max int) *refusal {
		n := units(strings.TrimSpace(text(v)))
		sum += n
		if units(text(v)) > max {
			return invalid("embeds."+name, "too long")
		}
		s.harmless(name, text(v))
		return nil
	}
	for name, max := range map[string]int{"title": 256, "description": 4096} {
		if bad := part(name, e[name], max); bad != nil {
			return 0, bad
		}
	}
	if f, ok := e["footer"].(object); ok {
		if bad := part("footer", f["text"], 2048); bad != nil {
			return 0, bad
		}
	}
	if u := text(e["url"]); u != "" && !wellFormed(u) {
		return 0, invalid("embeds.url", "Not a well formed URL.")
	}
	fields := list(e["fields"])
	if len(fields) > 25 {
		return 0, invalid("embeds.fields", "Must be 25 or fewer in length.")
	}
	for _, f := range fields {
		f := f.(object)
		if text(f["name"]) == "" || text(f["value"]) == "" {
			return 0, invalid("embeds.fields", "This field is required")
		}
		if bad := part("name", f["name"], 256); bad != nil {
			return 0, bad
		}
		if bad := part("value", f["value"], 1024); bad != nil {
			return 0, bad
		}
	}
	return sum, nil
}

func wellFormed(link string) bool {
	u, err := url.Parse(link)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && strings.Contains(u.Host, ".") && len(link) <= 2048
}

func (s *Server) goodRows(rows []any) *refusal {
	if len(rows) > 5 {
		return invalid("components", "Must be 5 or fewer in length.")
	}
	seen := map[string]bool{}
	for _, r := range rows {
		parts := list(r.(object)["components"])
		if number(r.(object)["type"]) != 1 || len(parts) < 1 || len(parts) > 5 {
			return invalid("components", "Must be between 1 and 5 in length.")
		}
		for _, p := range parts {
			if bad := s.goodPart(p.(object), len(parts), seen); bad != nil {
				return bad
			}
		}
	}
	return nil
}

func (s *Server) goodPart(p object, beside int, seen map[string]bool) *refusal {
	id := text(p["custom_id"])
	link := number(p["type"]) == 2 && number(p["style"]) == 5
	switch {
	case !link && (id == "" || len(id) > 100):
		return invalid("custom_id", "Must be between 1 and 100 in length.")
	case id != "" && seen[id]:
		return invalid("custom_id", "Component custom id cannot be duplicated")
	case link && (!wellFormed(text(p["url"])) || len(text(p["url"])) > 512 || id != ""):
		return invalid("url", "Not a well formed URL.")
	}
	seen[id] = id != ""
	switch number(p["type"]) {
	case 2:
		if l := units(text(p["label"])); l < 1 || l > 80 {
			return invalid("label", "Must be between 1 and 80 in length.")
		}
		if n := number(p["style"]); n < 1 || n > 5 {
			return invalid("style", "unknown")
		}
	case 3:
		o := list(p["options"])
		if beside != 1 || len(o) < 1 || len(o) > 25 {
			return invalid("options", "Must be between 1 and 25 in length.")
		}
		values := map[string]bool{}
		for _, o := range o {
			o := o.(object)
			if l, v := units(text(o["label"])), text(o["value"]); l < 1 || l > 100 || v == "" || len(v) > 100 || values[v] || units(text(o["description"])) > 100 {
				return invalid("options", "too long, or twice")
			}
			values[text(o["value"])] = true
		}
	default:
		return invalid("type", "unknown")
	}
	return nil
}

var (
	mention  = regexp.MustCompile(`^<(@[!&]?|#|a?:\w+:|/[^>]+:|id:)\d*`)
	everyone = regexp.MustCompile(`^@(everyone|here)`)
	address  = regexp.MustCompile(`^https?://[^\s<>]+`)
	hidden   = regexp.MustCompile("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f\x7f]")
)

// harmless reads text as Discord does: code blocks are left out, a backslash
// makes what follows ordinary.
func (s *Server) harmless(where, t string) {
	if hidden.MatchString(t) {
		s.wrong("%s has hidden characters: %q", where, t)
	}
	whole := t
	for len(t) > 0 {
		if everyone.MatchString(t) {
			s.wrong("%s mentions everyone: %q", where, whole)
		}
		if strings.HasPrefix(t, "```") {
			end := strings.Index(t[3:], "```")
			if end < 0 {
				s.wrong("%s has a code block that does not end: %q", where, whole)
				return
			}
			t = t[end+6:]
			continue
		}
		if t[0] == '`' {
			if end := strings.IndexByte(t[1:], '`'); end >= 0 {
				t = t[end+2:]
				continue
			}
		}
		if t[0] == '\\' && len(t) > 1 && t[1] != '@' {
			t = t[2:]
			continue
		}
		if mention.MatchString(t) {
			s.wrong("%s mentions: %q", where, whole)
		}
		if a := address.FindString(t); a != "" {
			s.leads(where, a)
		}
		if strings.HasPrefix(t, "](") {
			s.wrong("%s hides where a link leads: %q", where, t)
		}
		t = t[1:]
	}
}

func (s *Server) leads(where, link string) {
	u, err := url.Parse(link)
	if err != nil || !slices.Contains(s.Hosts, u.Hostname()) {
		s.wrong("%s links to %s", where, link)
	}
}
