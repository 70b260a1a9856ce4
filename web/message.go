package web

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// messageView is a message as the template "message" shows it. There is one
// way to show a message, whether it comes with the page or live.
type messageView struct {
	bot.Message
	ID         string // of its HTML element
	Seq        int64
	Edited     time.Time
	Press      string       // where its buttons post to
	Groups     []checkGroup // the checks, by group
	Paragraphs []string     // the text
	Initial    string       // of whoever said it
	Hue        int          // 0–5: a colour for them
	Private    bool         // only the reader sees it
	Items      []itemView
	Votes      []voteView
	Actions    []actionView
}

// LongEdited says whether it was edited clearly after it was posted.
func (m messageView) LongEdited() bool { return m.Edited.Sub(m.Message.At) >= time.Minute }

// checkGroup is one table of checks.
type checkGroup struct {
	Name    string
	Changes bool // it has values before and after
	Folded  bool // shown on demand
	Checks  []checkView
}

// checkView is a row, with what people said of it.
type checkView struct {
	bot.Check
	Votes []voteView
}

// itemView is a ranked thing with its buttons sorted by what they are.
type itemView struct {
	bot.Item
	Votes   []voteView
	Actions []actionView
}

// actionView is a button.
type actionView struct {
	bot.Button
	Denied string // why the reader may not press it; "" where they may
}

// voteView is a 👍 or 👎 with its count.
type voteView struct {
	bot.Button
	Up    bool
	Count int
	Mine  bool // the reader gave it
	Bare  bool // its label says no more than the sign

	Denied string // why the reader may not press it; "" where they may
}

// posted makes the view of a posting.
func (v *visit) posted(p *incidents.Posting, inc *incidents.Incident) (messageView, error) {
	b, err := decodeBody(p)
	if err != nil {
		return messageView{}, err
	}
	m := v.message(b.message(p, v.lang), inc.ID)
	v.mark(&m, inc)
	m.ID, m.Seq, m.Edited = "m"+strconv.FormatInt(p.Seq, 10), p.Seq, p.Edited
	return m, nil
}

// mark shows the reader which way they voted.
func (v *visit) mark(m *messageView, inc *incidents.Incident) {
	for i := range m.Groups {
		for j := range m.Groups[i].Checks {
			c := &m.Groups[i].Checks[j]
			for k := range c.Votes {
				mine := bot.JudgedBy(inc, v.person.ID, c.Votes[k].ID)
				c.Votes[k].Mine = mine != 0 && c.Votes[k].Up == (mine > 0)
			}
		}
	}
	for i := range m.Items {
		it := &m.Items[i]
		for j := range inc.Suggestions {
			g := &inc.Suggestions[j]
			mine := inc.Votes[g.Action][v.person.ID]
			if g.Rank != it.Rank || mine == 0 {
				continue
			}
			for k := range it.Votes {
				it.Votes[k].Mine = it.Votes[k].Up == (mine > 0)
			}
		}
	}
}

// reply makes the view of an answer that is nowhere but here.
func (v *visit) reply(m bot.Message, id incidents.ID) messageView {
	view := v.message(m, id)
	view.ID, view.Private = "r"+v.requestID, true
	return view
}

func (v *visit) message(m bot.Message, id incidents.ID) messageView {
	m = cleaned(m)
	m.Links = slices.DeleteFunc(m.Links, func(l bot.Link) bool { // this is that page
		return id > 0 && strings.HasSuffix(l.URL, "/incidents/"+id.String())
	})
	view := messageView{Message: m, Press: "/commands", Paragraphs: paragraphs(m.Text)}
	if id > 0 {
		view.Press = "/incidents/" + id.String() + "/press"
	}
	view.Initial, view.Hue = initial(m.By)
	if !slices.ContainsFunc(m.Checks, func(c bot.Check) bool { return len(c.Buttons) > 0 }) { // else each row has its own
		view.Votes, view.Actions = sortButtons(m.Buttons, -1, -1)
	}
	for _, it := range m.Items {
		iv := itemView{Item: it}
		iv.Votes, iv.Actions = sortButtons(it.Buttons, it.Up, it.Down)
		view.Items = append(view.Items, iv)
	}
	for _, c := range m.Checks {
		n := len(view.Groups)
		if n == 0 || view.Groups[n-1].Name != c.Group {
			view.Groups = append(view.Groups, checkGroup{Name: c.Group, Folded: c.Folded})
			n++
		}
		g := &view.Groups[n-1]
		votes, _ := sortButtons(c.Buttons, c.Up, c.Down)
		g.Checks = append(g.Checks, checkView{Check: c, Votes: votes})
		g.Changes = g.Changes || c.Before != ""
	}
	return view
}

// sortButtons parts the votes from the rest. A count below 0 is not known.
func sortButtons(all []bot.Button, up, down int) (votes []voteView, actions []actionView) {
	for _, b := range all {
		switch b.Style {
		case bot.StyleUp:
			votes = append(votes, voteView{Button: b, Up: true, Count: up, Bare: strings.Trim(b.Label, "👍 ") == ""})
		case bot.StyleDown:
			votes = append(votes, voteView{Button: b, Count: down, Bare: strings.Trim(b.Label, "👎 ") == ""})
		default:
			actions = append(actions, actionView{Button: b})
		}
	}
	return votes, actions
}

// cleaned takes out of every string what a browser would act upon instead of
// showing it, and every link that is no link to the web. The strings
// stay text: html/template escapes them.
func cleaned(m bot.Message) bot.Message {
	m.Kind = oneOf(m.Kind, bot.KindLine, bot.KindCard, bot.KindDiagnostics, bot.KindSuggestions, bot.KindApproval, bot.KindRun, bot.KindReply, bot.KindSaid)
	m.Tone = oneOf(m.Tone, "", bot.ToneBad, bot.ToneWarn, bot.ToneGood, bot.ToneInfo)
	m.By, m.Title, m.Text, m.Chat = bot.Clean(m.By), bot.Clean(m.Title), bot.Clean(m.Text), bot.Clean(m.Chat)
	m.Fields = each(m.Fields, func(f *bot.Field) { f.Name, f.Value = bot.Clean(f.Name), bot.Clean(f.Value) })
	m.Checks = each(m.Checks, func(c *bot.Check) {
		c.State = oneOf(c.State, bot.CheckUnknown, bot.CheckOK, bot.CheckBad, bot.CheckWaiting, bot.CheckNote)
		c.Group, c.Name, c.Value = bot.Clean(c.Group), bot.Clean(c.Name), bot.Clean(c.Value)
		c.URL = webLink(c.URL)
		c.Buttons = each(c.Buttons, cleanButton)
		c.Before, c.Detail, c.Elapsed = bot.Clean(c.Before), bot.Clean(c.Detail), bot.Clean(c.Elapsed)
	})
	m.Images = each(m.Images, func(i *bot.Image) { i.Title, i.Alt = bot.Clean(i.Title), bot.Clean(i.Alt) })
	m.Images = slices.DeleteFunc(m.Images, func(i bot.Image) bool { return !strings.HasPrefix(i.Path, "/incidents/") })
	m.Code = each(m.Code, cleanCode)
	m.Buttons = each(m.Buttons, cleanButton)
	m.Items = each(m.Items, func(it *bot.Item) {
		it.Title, it.Evidence = bot.Clean(it.Title), bot.Clean(it.Evidence)
		it.Moved, it.Risk = bot.Clean(it.Moved), bot.Clean(it.Risk)
		it.Link = cleanLink(it.Link)
		it.Code, it.Buttons = each(it.Code, cleanCode), each(it.Buttons, cleanButton)
	})
	var links []bot.Link
	for _, l := range m.Links {
		if good := webLink(l.URL); good != "" {
			links = append(links, bot.Link{Label: bot.Clean(l.Label), URL: good})
		}
	}
	m.Links = links
	return m
}

// webLink is the address where it leads to the web, else "".
func webLink(link string) string {
	if u, err := url.Parse(link); err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" {
		return u.String()
	}
	return ""
}

func cleanLink(l *bot.Link) *bot.Link {
	if l == nil || webLink(l.URL) == "" {
		return nil
	}
	return &bot.Link{Label: bot.Clean(l.Label), URL: webLink(l.URL)}
}

func cleanCode(c *bot.Code) { c.Label, c.Text = bot.Clean(c.Label), bot.Clean(c.Text) }
func cleanButton(b *bot.Button) {
	b.Style = oneOf(b.Style, "", bot.StylePrimary, bot.StyleDanger, bot.StyleUp, bot.StyleDown)
	b.ID, b.Label, b.Hint = bot.Clean(b.ID), bot.Clean(b.Label), bot.Clean(b.Hint)
}

// oneOf is v where it is known, else other: these words become class names.
func oneOf[T comparable](v, other T, known ...T) T {
	if slices.Contains(known, v) {
		return v
	}
	return other
}

// each applies f to copies of all.
func each[T any](all []T, f func(*T)) []T {
	out := make([]T, len(all))
	for i := range all {
		out[i] = all[i]
		f(&out[i])
	}
	return out
}

// paragraphs parts text at empty lines.
func paragraphs(text string) []string {
	var out []string
	for p := range strings.SplitSeq(text, "\n\n") {
		if p = strings.Trim(p, "\n"); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// initial is the letter and the colour that stand for somebody; "" is Hikeshi.
func initial(name string) (string, int) {
	if name == "" {
		return "", 0
	}
	r, _ := utf8.DecodeRuneInString(name)
	sum := sha256.Sum256([]byte(name))
	return strings.ToUpper(string(r)), int(sum[0]) % 6
}

// nameKey makes a message key of parts that may hold anything.
func nameKey(kind string, parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return kind + "-" + hex.EncodeToString(sum[:12])
}
