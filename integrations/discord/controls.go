package discord

import (
	"strconv"
	"strings"

	"github.com/bwmarrin/discordgo"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
)

// menuID names the menu that holds what has no room as a button. What is chosen
// in it is pressed like a button.
const menuID = "more"

// Discord's styles of buttons.
// https://docs.discord.com/developers/components/reference#button-button-styles
const (
	stylePrimary   = 1
	styleSecondary = 2
	styleDanger    = 4
	styleLink      = 5
)

// controls are the buttons: the message's own first, then a row for each item,
// then links. What does not fit into five rows goes into a menu, and links that
// do not are returned, with how many buttons even the menu had no room for.
func controls(m *bot.Message, lang, more string) (rows []row, loose []bot.Link, lost int) {
	rows = []row{}
	seen := map[string]bool{} // Discord refuses a message with one id twice
	var groups [][]part
	group := func(buttons []bot.Button, prefix string) {
		var parts []part
		for _, b := range buttons {
			if b.ID == "" || len(b.ID) > maxCustomID || seen[b.ID] {
				continue
			}
			seen[b.ID] = true
			parts = append(parts, part{Type: discordgo.ButtonComponent, ID: b.ID, Label: cut(orDots(prefix+b.Label), maxLabel), Style: style(b.Style), Placeholder: b.Hint})
		}
		for len(parts) > 0 {
			n := min(len(parts), maxRowSize)
			groups = append(groups, parts[:n])
			parts = parts[n:]
		}
	}
	group(m.Buttons, "")
	for i := range m.Items {
		group(m.Items[i].Buttons, strconv.Itoa(m.Items[i].Rank)+" · ")
	}
	links, loose := linkParts(m.Links, host(more))
	room := maxRows
	if len(links) > 0 {
		room--
	}
	if len(groups) > room {
		choice, left := menu(groups[room-1:], lang)
		groups, lost = append(groups[:room-1], []part{choice}), left
	}
	for _, g := range groups {
		for i := range g {
			if g[i].Type == discordgo.ButtonComponent {
				g[i].Placeholder = ""
			}
		}
		rows = append(rows, row{discordgo.ActionsRowComponent, g})
	}
	if len(links) > 0 {
		rows = append(rows, row{discordgo.ActionsRowComponent, links})
	}
	return rows, loose, lost
}

func orDots(s string) string {
	if s == "" {
		return "…"
	}
	return s
}

// menu is what remains, to be chosen from, and how much it has no room for.
func menu(groups [][]part, lang string) (m part, lost int) {
	m = part{Type: discordgo.SelectMenuComponent, ID: menuID, Placeholder: phrases.T(lang, "discord.menu")}
	for _, g := range groups {
		for _, b := range g {
			if len(m.Options) == maxOptions {
				lost++
				continue
			}
			m.Options = append(m.Options, option{Label: b.Label, Value: b.ID, About: cut(b.Placeholder, maxOption)})
		}
	}
	return m, lost
}

func style(s bot.Style) int {
	switch s {
	case bot.StylePrimary:
		return stylePrimary
	case bot.StyleDanger:
		return styleDanger
	}
	return styleSecondary
}

// linkParts are one row of links; a label that does not say where it leads gets
// the host, except for the console's own.
func linkParts(links []bot.Link, console string) (parts []part, loose []bot.Link) {
	for _, l := range links {
		if len(parts) == maxRowSize || !followable(l.URL) {
			loose = append(loose, l)
			continue
		}
		label, to := bot.Line(l.Label, 200), host(l.URL)
		if to != console && !strings.Contains(label, to) {
			label = cut(label, maxLabel/2) + " (" + to + ")"
		}
		parts = append(parts, part{Type: discordgo.ButtonComponent, Style: styleLink, Label: cut(orDots(label), maxLabel), URL: l.URL})
	}
	return parts, loose
}
