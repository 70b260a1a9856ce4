package bot

import (
	"strconv"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Duration says d as people do, with its two largest units: "48 s",
// "3 min 20 s", "2 h 5 min", "4 d 3 h"; in Japanese 「3分20秒」.
func Duration(lang string, d time.Duration) string {
	d = max(d, -d)
	if d >= time.Millisecond && d < time.Second {
		return unit(lang, "ms", int64(d/time.Millisecond))
	}
	if d < 10*time.Second && d%time.Second >= 100*time.Millisecond {
		return phrases.T(lang, "time.s", "n", strconv.FormatFloat(d.Truncate(100*time.Millisecond).Seconds(), 'f', 1, 64))
	}
	type part struct {
		name string
		size time.Duration
	}
	parts := []part{{"d", 24 * time.Hour}, {"h", time.Hour}, {"min", time.Minute}, {"s", time.Second}}
	for i, p := range parts {
		if d < p.size {
			continue
		}
		first := unit(lang, p.name, int64(d/p.size))
		if i+1 < len(parts) {
			if rest := int64(d % p.size / parts[i+1].size); rest > 0 {
				return phrases.T(lang, "time.two", "first", first, "second", unit(lang, parts[i+1].name, rest))
			}
		}
		return first
	}
	return unit(lang, "s", 0)
}

// Ago says how long before now t was, with one unit: "12 days ago", 「12日前」.
func Ago(lang string, t, now time.Time) string {
	d := now.Sub(t)
	switch {
	case d < time.Minute:
		return phrases.T(lang, "time.now")
	case d < time.Hour:
		return count(lang, "time.ago.min", int(d/time.Minute))
	case d < 48*time.Hour:
		return count(lang, "time.ago.h", int(d/time.Hour))
	default:
		return count(lang, "time.ago.d", int(d/(24*time.Hour)))
	}
}

// Clock says a moment in now's time zone, which it names: "14:03 UTC" on the
// same day, "3 Feb 14:03 UTC" on another, with the year in another year.
func Clock(lang string, t, now time.Time) string {
	if t.IsZero() {
		return "–"
	}
	t = t.In(now.Location())
	clock := t.Format("15:04 MST")
	if t.Year() == now.Year() && t.YearDay() == now.YearDay() {
		return clock
	}
	return phrases.T(lang, "time.date", "date", Date(lang, t, now), "clock", clock)
}

// Date says a day: "3 Feb", with the year where it is not now's.
func Date(lang string, t, now time.Time) string {
	layout := map[bool]string{true: "2 Jan", false: "2 Jan 2006"}
	if lang == phrases.Japanese {
		layout = map[bool]string{true: "1月2日", false: "2006年1月2日"}
	}
	return t.In(now.Location()).Format(layout[t.Year() == now.Year()])
}

func unit(lang, name string, n int64) string {
	return phrases.T(lang, "time."+name, "n", strconv.FormatInt(n, 10))
}

// count fills the sentence key.one or key.other with n, and more words.
func count(lang, key string, n int, args ...string) string {
	form := ".other"
	if n == 1 {
		form = ".one"
	}
	return phrases.T(lang, key+form, append(args, "n", strconv.Itoa(n))...)
}

// Say says a Reason: its words are cleaned, and lengths of time put as people
// say them.
func Say(lang string, r incidents.Reason) string {
	if r.Phrase == "" {
		return ""
	}
	return phrases.Fill(lang, r.Phrase, words(lang, r.Args))
}

// maxWord bounds one word of a sentence, in bytes.
const maxWord = 300

func words(lang string, args map[string]string) map[string]string {
	out := make(map[string]string, len(args))
	for name, v := range args {
		if d, err := time.ParseDuration(v); err == nil && (name == "for" || name == "within" || name == "took") {
			v = Duration(lang, d)
		}
		out[name] = Line(v, maxWord)
	}
	return out
}

// Who is an actor's name for people.
func Who(a incidents.Actor) string {
	switch {
	case a.ID == incidents.Bot.ID:
		return "Hikeshi"
	case a.Name != "":
		return Line(a.Name, 80)
	default:
		return Line(a.ID, 80)
	}
}
