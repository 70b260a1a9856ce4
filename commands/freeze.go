package commands

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Freezer stops every remediation there is, and lets them start again. once
// names the wish, as for Incidents.
type Freezer interface {
	// Latest is the latest freeze, whether it holds or not.
	Latest(ctx context.Context) (incidents.Freeze, error)
	// Freeze returns the freeze that holds then: another one where that lasts longer.
	Freeze(ctx context.Context, once string, f incidents.Freeze) (incidents.Freeze, error)
	// Thaw returns the freeze that it lifted, or the latest where none held.
	Thaw(ctx context.Context, once string, by incidents.Actor) (incidents.Freeze, error)
}

// freeze stops every remediation from starting, everywhere, for a time or until
// somebody lifts it.
func freeze(d Deps) bot.Command {
	return bot.Command{
		Name: "freeze", Aliases: []string{"凍結"}, Usage: "freeze [for 2h] [reason …] | status | off",
		Example: []string{"/inc freeze for 2h we move the data centre", "/inc freeze", "/inc freeze status", "/inc freeze off"},
		Help:    "help.freeze", Right: bot.FreezeAll,
		Run: func(ctx context.Context, r bot.Request, args []string) (bot.Reply, error) {
			if d.Freezer == nil {
				return bot.Reply{}, incidents.Fail(incidents.Unavailable, "error.no_freezer", "nothing can be frozen here")
			}
			if len(args) > 0 {
				switch word := strings.ToLower(args[0]); {
				case word == "status" || word == "状態":
					return d.freezeStatus(ctx, r, args)
				case word == "off" || word == "解除":
					return d.thaw(ctx, r, args)
				}
			}
			f, err := d.freezing(r, args)
			if err != nil {
				return bot.Reply{}, err
			}
			return d.freezeAll(ctx, r, f)
		},
	}
}

// Bounds of how long is asked for: below a minute it would be over before it was
// read, and what shall hold for longer than a month wants no end.
const (
	leastFreeze = time.Minute
	mostFreeze  = 31 * 24 * time.Hour
)

// freezing reads "for 2h reason", "2h reason" or "reason".
func (d Deps) freezing(r bot.Request, args []string) (incidents.Freeze, error) {
	f := incidents.Freeze{By: r.Person}
	asked := false
	if len(args) > 0 && strings.EqualFold(args[0], "for") {
		asked, args = true, args[1:]
	}
	if len(args) > 0 {
		length, err := time.ParseDuration(strings.ToLower(args[0]))
		switch {
		case err == nil && (length < leastFreeze || length > mostFreeze):
			return f, incidents.Fail(incidents.Invalid, "error.freeze_length", "a freeze lasts from one minute to 744 hours").WithHint("/inc freeze for 2h")
		case err == nil:
			f.Until, args, asked = d.Now().Add(length).UTC(), args[1:], false
		}
	}
	if asked { // "for" and then no time: it is not to be guessed
		return f, incidents.Fail(incidents.Invalid, "error.freeze_for", "after “for” comes how long").WithHint("/inc freeze for 2h")
	}
	if len(args) > 0 && slices.Contains([]string{"reason", "理由"}, strings.ToLower(args[0])) {
		args = args[1:] // typed as the usage writes it
	}
	f.Text = bot.Line(strings.Join(args, " "), incidents.MaxValue)
	return f, nil
}

func (d Deps) freezeAll(ctx context.Context, r bot.Request, f incidents.Freeze) (bot.Reply, error) {
	held, err := d.Freezer.Freeze(ctx, r.Once, f)
	if err != nil {
		return bot.Reply{}, err
	}
	m := bot.Message{Tone: bot.ToneWarn, Title: phrases.T(r.Lang, "say.frozen"), Text: d.freezeLine(r.Lang, &held)}
	if held.By.ID != f.By.ID || !held.Until.Equal(f.Until) || !strings.Contains(held.Text, f.Text) {
		m.Title = phrases.T(r.Lang, "say.frozen_already")
	}
	d.tellWaiting(ctx, r, &held, "say.freeze_note", &m)
	return answer(nil, m), nil
}

func (d Deps) thaw(ctx context.Context, r bot.Request, args []string) (bot.Reply, error) {
	if err := atMost(1, "freeze", args); err != nil {
		return bot.Reply{}, err
	}
	f, err := d.Freezer.Thaw(ctx, r.Once, r.Person)
	if err != nil {
		return bot.Reply{}, err
	}
	m := bot.Message{Tone: bot.ToneGood, Title: phrases.T(r.Lang, "say.thawed"), Text: d.freezeLine(r.Lang, &f)}
	if f.Lifted == nil || f.Lifted.By.ID != r.Person.ID {
		m.Title = phrases.T(r.Lang, "say.not_frozen")
		return answer(nil, m), nil
	}
	d.tellWaiting(ctx, r, &f, "say.thaw_note", &m)
	return answer(nil, m), nil
}

func (d Deps) freezeStatus(ctx context.Context, r bot.Request, args []string) (bot.Reply, error) {
	if err := atMost(1, "freeze", args); err != nil {
		return bot.Reply{}, err
	}
	f, err := d.Freezer.Latest(ctx)
	if err != nil {
		return bot.Reply{}, err
	}
	m := bot.Message{Tone: bot.ToneGood, Title: phrases.T(r.Lang, "say.not_frozen"), Text: d.freezeLine(r.Lang, &f)}
	if f.Holds(d.Now()) {
		m.Tone, m.Title = bot.ToneWarn, phrases.T(r.Lang, "say.frozen")
	}
	d.tellWaiting(ctx, r, &f, "", &m)
	d.tellWindows(ctx, r, &m)
	return answer(nil, m), nil
}

// freezeLine is who froze, since when, until when and why; "" where nobody ever did.
func (d Deps) freezeLine(lang string, f *incidents.Freeze) string {
	if f.At.IsZero() {
		return ""
	}
	until := phrases.T(lang, "say.freeze_open")
	if !f.Until.IsZero() {
		until = phrases.T(lang, "say.freeze_until", "until", bot.Clock(lang, f.Until, d.Now()))
	}
	lines := []string{phrases.T(lang, "say.freeze_by", "by", bot.Line(f.By.Name, 80), "at", bot.Clock(lang, f.At, d.Now()), "until", until)}
	if f.First != nil {
		lines = append(lines, phrases.T(lang, "say.freeze_first", "by", bot.Line(f.First.By.Name, 80), "at", bot.Clock(lang, f.First.At, d.Now())))
	}
	if f.Text != "" {
		lines = append(lines, phrases.T(lang, "say.freeze_why", "why", f.Text))
	}
	if f.Lifted != nil {
		lines = append(lines, phrases.T(lang, "say.freeze_lifted", "by", bot.Line(f.Lifted.By.Name, 80), "at", bot.Clock(lang, f.Lifted.At, d.Now())))
	}
	return strings.Join(lines, " ")
}

// tellWaiting lists the runs under way, which go on, and where note is set, writes it
// into every open incident that waits for a decision. What it could not find out
// it says: the freeze stands all the same.
func (d Deps) tellWaiting(ctx context.Context, r bot.Request, f *incidents.Freeze, note string, m *bot.Message) {
	open, complete := d.openIncidents(ctx)
	told := 0
	for _, s := range open {
		if run := s.Busy(); run != nil && run.State != incidents.RunApproved {
			m.Fields = append(m.Fields, bot.Field{
				Name:  s.ID.String() + " · " + run.ID,
				Value: phrases.T(r.Lang, "say.freeze_goes_on", "action", bot.Title(r.Lang, run.Plan.Title, run.Plan.Runbook)),
			})
		}
		if waits := slices.ContainsFunc(s.PendingApprovals(), func(a incidents.Approval) bool { return d.Now().Before(a.ExpiresAt) }); !waits || note == "" {
			continue
		}
		once := ""
		if r.Once != "" {
			once = r.Once + "/" + s.ID.String()
		}
		if _, err := d.Incidents.Do(ctx, s.ID, once, incidents.Note{By: r.Person, Text: phrases.T(r.Lang, note) + " " + d.freezeLine(r.Lang, f)}); err != nil {
			complete = false
			continue
		}
		told++
	}
	if told > 0 {
		m.Text += " " + phrases.T(r.Lang, "say.freeze_told", "n", strconv.Itoa(told))
	}
	if !complete {
		m.Text += " " + phrases.T(r.Lang, "say.freeze_incomplete")
	}
}

// mostTold is how many open incidents are looked at.
const mostTold = 200

func (d Deps) openIncidents(ctx context.Context) (open []*incidents.Incident, complete bool) {
	page, err := d.Incidents.List(ctx, incidents.Query{Open: true, Limit: mostTold})
	if err != nil {
		return nil, false
	}
	complete = page.Next == 0
	for i := range page.Incidents {
		s, err := d.Incidents.Load(ctx, page.Incidents[i].ID)
		if err != nil {
			complete = false
			continue
		}
		open = append(open, s)
	}
	return open, complete
}
