package slack

import (
	"encoding/json"
	"fmt"
	"regexp"
	"unicode/utf16"
)

// markup is what Slack makes a mention, a link or a name of, and an ampersand
// that it would read as the beginning of one of its entities.
var markup = regexp.MustCompile(`[<>]|&(?:[^a]|a[^m]|$)`)

var entity = regexp.MustCompile(`&(amp|lt|gt);`)

// checkText reads a text as Slack does. None of ours has any markup.
func (s *Server) checkText(where, text string) {
	if bad := markup.FindString(entity.ReplaceAllString(text, "")); bad != "" {
		s.wrong(where, "unescaped %q in %q", bad, text)
	}
}

// checkMessage says what Slack would refuse a message with.
func (s *Server) checkMessage(method string, a map[string]string) string {
	if a["text"] == "" {
		s.wrong(method, "no text for notifications")
		return "no_text"
	}
	if s.o.Others && a["blocks"] == "" {
		return ""
	}
	if !s.o.Others && (a["link_names"] != "false" || a["parse"] != "none") {
		s.wrong(method, "link_names %q, parse %q: names would become mentions", a["link_names"], a["parse"])
	}
	s.checkText(method, a["text"])
	var blocks []object
	if err := json.Unmarshal([]byte(a["blocks"]), &blocks); err != nil {
		s.wrong(method, "blocks: %v", err)
		return "invalid_blocks"
	}
	if problem := CheckBlocks(blocks, 50); problem != "" {
		s.wrong(method, "%s\n%s", problem, a["blocks"])
		return "invalid_blocks"
	}
	return ""
}

func (s *Server) checkView(method, view string) {
	var v struct {
		Type, CallbackID string
		Title, Submit    object
		Private          string `json:"private_metadata"`
		Blocks           []object
	}
	if err := json.Unmarshal([]byte(view), &v); err != nil {
		s.wrong(method, "view: %v", err)
	}
	if v.Type == "modal" && (text(v.Title, 24) == "" || text(v.Submit, 24) == "" || len(v.Private) > 3000) {
		s.wrong(method, "title or submit of %s", view)
	}
	if problem := CheckBlocks(v.Blocks, 100); problem != "" {
		s.wrong(method, "%s\n%s", problem, view)
	}
}

func size(s string) int { return len(utf16.Encode([]rune(s))) }

// text is a plain_text object's text; "" where it is none, or longer than most.
func text(o any, most int) string {
	m, _ := o.(object)
	t, _ := m["text"].(string)
	if m["type"] != "plain_text" || size(t) > most {
		return ""
	}
	return t
}

// CheckBlocks holds blocks to Slack's bounds and to ours: whatever is parsed is
// not used at all. It returns what is wrong.
func CheckBlocks(blocks []object, most int) string {
	if len(blocks) > most || len(blocks) == 0 {
		return fmt.Sprintf("%d blocks", len(blocks))
	}
	total := 0
	for i, b := range blocks {
		problem, n := checkBlock(b)
		if problem != "" {
			return fmt.Sprintf("block %d: %s", i, problem)
		}
		total += n
	}
	if total > 13_200 {
		return fmt.Sprintf("msg_blocks_too_long: %d characters", total)
	}
	return ""
}

func checkBlock(b object) (problem string, n int) {
	switch b["type"] {
	case "header":
		if t := text(b["text"], 150); t != "" {
			return "", size(t)
		}
		return "header", 0
	case "actions":
		all, _ := b["elements"].([]any)
		if len(all) == 0 || len(all) > 25 {
			return fmt.Sprintf("%d elements of actions", len(all)), 0
		}
		ids := map[any]bool{}
		for _, e := range all {
			o, _ := e.(object)
			id, _ := o["action_id"].(string)
			if o["type"] != "button" || id == "" || len(id) > 255 || ids[id] || text(o["text"], 75) == "" {
				return fmt.Sprintf("button %v", o), 0
			}
			if label, _ := o["accessibility_label"].(string); size(label) > 75 {
				return "accessibility_label", 0
			}
			ids[id] = true
			n += size(text(o["text"], 75))
		}
		return "", n
	case "input":
		if text(b["label"], 2000) == "" || b["block_id"] == "" {
			return "input", 0
		}
		return checkInput(b["element"]), 0
	case "rich_text":
		return checkRich(b["elements"])
	}
	return fmt.Sprintf("type %v, which we have no need of", b["type"]), 0
}

func checkInput(e any) string {
	o, _ := e.(object)
	switch o["type"] {
	case "plain_text_input":
		if most, ok := o["max_length"].(float64); ok && (most < 1 || most > 3000) {
			return "max_length"
		}
		return ""
	case "static_select":
		all, _ := o["options"].([]any)
		if len(all) == 0 || len(all) > 100 {
			return fmt.Sprintf("%d options", len(all))
		}
		for _, x := range all {
			option, _ := x.(object)
			if value, _ := option["value"].(string); value == "" || len(value) > 150 || text(option["text"], 75) == "" {
				return fmt.Sprintf("option %v", option)
			}
		}
		return ""
	}
	return fmt.Sprintf("element %v", o["type"])
}

// checkRich lets texts and links through, and nothing that would call anybody.
func checkRich(elements any) (problem string, n int) {
	all, _ := elements.([]any)
	if len(all) == 0 {
		return "empty rich_text", 0
	}
	for _, e := range all {
		o, _ := e.(object)
		switch o["type"] {
		case "rich_text_section", "rich_text_preformatted":
			problem, more := checkRich(o["elements"])
			if problem != "" {
				return problem, 0
			}
			n += more
		case "text":
			t, _ := o["text"].(string)
			if t == "" || size(t) > 3000 {
				return fmt.Sprintf("a text of %d", size(t)), 0
			}
			n += size(t)
		case "link":
			t, _ := o["text"].(string)
			u, _ := o["url"].(string)
			if len(u) > 3000 || !regexp.MustCompile(`^https?://`).MatchString(u) || t == "" {
				return fmt.Sprintf("link %q", u), 0
			}
			n += size(t)
		default:
			return fmt.Sprintf("an element %v", o["type"]), 0
		}
	}
	return "", n
}
