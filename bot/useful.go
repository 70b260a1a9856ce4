package bot

import (
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// UsefulItem finds the item of the first investigation that a word names: its
// number in the list, or what a button carries for it; "" where there is none.
func UsefulItem(s *incidents.Incident, word string) string {
	all := s.Items()
	if n, err := strconv.Atoi(word); err == nil && n >= 1 && n <= len(all) {
		return all[n-1]
	}
	for _, item := range all {
		if item == word || itemRef(item) == word {
			return item
		}
	}
	return ""
}

// itemRef names an item in a button: always the hash, for a check may be called 1.
func itemRef(item string) string { return actionRef("item/" + item) }

// UsefulList asks of each item of the first investigation whether it was useful,
// with two buttons each: for chats, whose tables have no room for buttons.
func UsefulList(s *incidents.Incident, lang string, now time.Time) Message {
	v := view{s: s, lang: lang, now: now}
	m := Message{Title: v.t("button.useful.ask"), Text: v.t("useful.how")}
	for i, item := range s.Items() {
		up, down := v.thumbs(item)
		m.Items = append(m.Items, Item{Rank: i + 1, Title: v.itemName(item), Up: up, Down: down, Buttons: v.usefulButtons(item)})
	}
	if len(m.Items) == 0 {
		m.Text = v.t("useful.none")
	}
	return m
}

// ItemName is an item in words: the title of the check, or what was asked.
func ItemName(s *incidents.Incident, lang, item string) string {
	v := view{s: s, lang: lang}
	return v.itemName(item)
}

func (v *view) itemName(item string) string {
	for i := range v.s.Findings {
		if f := &v.s.Findings[i]; f.Item() == item {
			return v.title(f.Title, f.Check)
		}
	}
	for i := range v.s.Clues {
		c := &v.s.Clues[i]
		if c.Item != item {
			continue
		}
		group := v.t("clue.group." + string(c.Kind))
		if c.Kind == incidents.ClueSeries {
			return group + ": " + Line(c.Title, incidents.MaxValue)
		}
		if c.Source == "" {
			return group
		}
		return group + " (" + Line(c.Source, 60) + ")"
	}
	return Line(item, incidents.MaxValue)
}

func (v *view) thumbs(item string) (up, down int) {
	for _, value := range v.s.Useful[item] {
		if value > 0 {
			up++
		} else {
			down++
		}
	}
	return up, down
}

func (v *view) usefulButtons(item string) []Button {
	name := v.itemName(item)
	yes := v.button("useful.yes", press{verb: pressUsefulYes, ref: itemRef(item)}, StyleUp)
	no := v.button("useful.no", press{verb: pressUsefulNo, ref: itemRef(item)}, StyleDown)
	yes.Hint, no.Hint = phrases.T(v.lang, "useful.yes.hint", "item", name), phrases.T(v.lang, "useful.no.hint", "item", name)
	return []Button{yes, no}
}

// judged puts beside a row what people say of its item.
func (v *view) judged(row *Check, item string) {
	if item != "" && v.asks {
		row.Up, row.Down = v.thumbs(item)
		row.Buttons = v.usefulButtons(item)
	}
}

// ask leaves one pair of buttons for each item, and gives the message a button for
// chats whose tables have none. What people found seldom useful goes to the end,
// under a heading of its own.
func (v *view) ask(m *Message) {
	seen := map[string]bool{}
	var rest []Check
	rows := m.Checks[:0]
	for _, c := range m.Checks {
		if len(c.Buttons) > 0 {
			if id := c.Buttons[0].ID; seen[id] {
				c.Buttons, c.Up, c.Down = nil, 0, 0
			} else {
				seen[id] = true
			}
		}
		if c.Folded {
			c.Group = v.t("useful.folded")
			rest = append(rest, c)
			continue
		}
		rows = append(rows, c)
	}
	m.Checks = append(rows, rest...)
	if len(seen) > 0 {
		m.Buttons = append(m.Buttons, v.button("useful.ask", press{verb: pressUseful}, ""))
	}
}

// JudgedBy says which way a person voted on the item that a button is about.
func JudgedBy(s *incidents.Incident, person, button string) int {
	p, ok := decodePress(button)
	if !ok {
		return 0
	}
	for item, votes := range s.Useful {
		if votes[person] != 0 && itemRef(item) == p.ref {
			return votes[person]
		}
	}
	return 0
}
