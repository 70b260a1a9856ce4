package bot

import (
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

func TestDuration(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		d      time.Duration
		en, ja string
	}{
		{0, "0 s", "0秒"},
		{320 * time.Millisecond, "320 ms", "320ミリ秒"},
		{1200 * time.Millisecond, "1.2 s", "1.2秒"},
		{9*time.Second + 960*time.Millisecond, "9.9 s", "9.9秒"},
		{48 * time.Second, "48 s", "48秒"},
		{5 * time.Minute, "5 min", "5分"},
		{3*time.Minute + 20*time.Second, "3 min 20 s", "3分20秒"},
		{2*time.Hour + 5*time.Minute + 59*time.Second, "2 h 5 min", "2時間5分"},
		{2*time.Hour + 59*time.Second, "2 h", "2時間"},
		{99 * time.Hour, "4 d 3 h", "4日3時間"},
		{-48 * time.Second, "48 s", "48秒"},
	} {
		if en, ja := Duration("en", c.d), Duration("ja", c.d); en != c.en || ja != c.ja {
			t.Errorf("%v: %q and %q, want %q and %q", c.d, en, ja, c.en, c.ja)
		}
	}
}

func TestAgo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		d      time.Duration
		en, ja string
	}{
		{-time.Hour, "just now", "たった今"}, // somebody's clock is ahead
		{59 * time.Second, "just now", "たった今"},
		{time.Minute, "1 minute ago", "1分前"},
		{47 * time.Hour, "47 hours ago", "47時間前"},
		{12*24*time.Hour + time.Hour, "12 days ago", "12日前"},
	} {
		then := someDay.Add(-c.d)
		if en, ja := Ago("en", then, someDay), Ago("ja", then, someDay); en != c.en || ja != c.ja {
			t.Errorf("%v: %q and %q, want %q and %q", c.d, en, ja, c.en, c.ja)
		}
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	tokyo := time.FixedZone("JST", 9*60*60)
	now := time.Date(2026, 2, 3, 14, 0, 0, 0, tokyo)
	for _, c := range []struct {
		at     time.Time
		en, ja string
	}{
		{time.Date(2026, 2, 3, 0, 3, 0, 0, time.UTC), "09:03 JST", "09:03 JST"},
		{time.Date(2026, 2, 2, 14, 59, 0, 0, time.UTC), "2 Feb 23:59 JST", "2月2日 23:59 JST"},
		{time.Date(2025, 12, 31, 3, 0, 0, 0, time.UTC), "31 Dec 2025 12:00 JST", "2025年12月31日 12:00 JST"},
		{time.Time{}, "–", "–"},
	} {
		if en, ja := Clock("en", c.at, now), Clock("ja", c.at, now); en != c.en || ja != c.ja {
			t.Errorf("%v: %q and %q, want %q and %q", c.at, en, ja, c.en, c.ja)
		}
	}
}

func TestSay(t *testing.T) {
	t.Parallel()
	quiet := incidents.Because("because.quiet", "for", "5m0s")
	if en, ja := Say("en", quiet), Say("ja", quiet); en != "nothing has fired for 5 min" || ja != "5分 の間、アラートが発生していません" && ja != "5分の間、アラートが発生していません" {
		t.Errorf("%q and %q", en, ja)
	}
	evil := incidents.Because("because.service_and_name", "service", "a\u202eb\n{name}", "name", "x")
	if got := Say("en", evil); got != "same service (ab {name}) and alert name (x)" {
		t.Errorf("words from outside were not kept words: %q", got)
	}
	if got := Say("en", incidents.Reason{}); got != "" {
		t.Errorf("no reason says %q", got)
	}
}

func TestWho(t *testing.T) {
	t.Parallel()
	for want, a := range map[string]incidents.Actor{
		"Hikeshi": incidents.Bot, "bea": {ID: "console:1", Name: "b\u200bea"}, "slack:T1/U2": {ID: "slack:T1/U2"},
		"alertmanager": incidents.SourceActor("alertmanager"),
	} {
		if got := Who(a); got != want {
			t.Errorf("Who(%v) = %q, want %q", a, got, want)
		}
	}
}
