package incidents

import (
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// catalogue reads the sentences of bot/phrases, one "key: \"sentence\"" a line.
var catalogue = sync.OnceValue(func() map[string]map[string]string {
	line := regexp.MustCompile(`^([a-z_.]+): "(.*)"$`)
	all := map[string]map[string]string{}
	for _, lang := range []string{"en", "ja"} {
		all[lang] = map[string]string{}
		for _, area := range []string{"timeline", "incidents", "learning", "trust"} {
			b, err := os.ReadFile("../bot/phrases/" + lang + "/" + area + ".yaml")
			if err != nil {
				panic(err)
			}
			for _, l := range strings.Split(string(b), "\n") {
				if m := line.FindStringSubmatch(l); m != nil {
					all[lang][m[1]] = m[2]
				}
			}
		}
	}
	return all
})

var place = regexp.MustCompile(`\{([a-z_]+)\}`)

// sayable: the sentence exists in both languages and each of its places has words.
func sayable(t teller, r Reason, args func(lang string) map[string]string) string {
	t.Helper()
	said := ""
	for lang, sentences := range catalogue() {
		sentence, has := sentences[r.Phrase]
		if !has {
			t.Fatalf("the catalogue has no %q in %s", r.Phrase, lang)
		}
		words := args(lang)
		for _, m := range place.FindAllStringSubmatch(sentence, -1) {
			if _, has := words[m[1]]; !has {
				t.Fatalf("%s in %s needs {%s}, has %v", r.Phrase, lang, m[1], words)
			}
			sentence = strings.ReplaceAll(sentence, m[0], words[m[1]])
		}
		if lang == "en" {
			said = sentence
		}
	}
	return said
}

// tellable holds everything a postmortem says to the catalogue.
func tellable(t teller, d PostmortemData) {
	t.Helper()
	plain := func(r Reason) {
		t.Helper()
		if r.Phrase != "" {
			sayable(t, r, func(string) map[string]string { return r.Args })
		}
	}
	for _, lines := range [][]Line{d.Timeline, d.Decisions} {
		for i := range lines {
			sayable(t, lines[i].Phrase, lines[i].Args)
			plain(lines[i].Because)
			if i > 0 && lines[i].At.Before(lines[i-1].At) {
				t.Fatalf("%s comes after what happened later", lines[i].Phrase.Phrase)
			}
		}
	}
	for _, r := range d.Hints {
		plain(r)
	}
	for i := range d.Tried {
		plain(d.Tried[i].Because)
	}
	plain(d.Because)
}

func TestEverySentenceExists(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, st := range lives(t) {
		d := Postmortem(st.s, st.log)
		tellable(t, d)
		for i := range d.Timeline {
			used[d.Timeline[i].Phrase.Phrase] = true
		}
	}
	if len(used) < 30 {
		t.Errorf("told only %d different sentences: %v", len(used), used)
	}
}

// told renders the timeline in English.
func toldIn(t *testing.T, lines []Line) []string {
	t.Helper()
	var all []string
	for i := range lines {
		l := &lines[i]
		said := l.At.Format("15:04:05 ") + sayable(t, l.Phrase, l.Args)
		if l.Because.Phrase != "" {
			said += " (" + sayable(t, l.Because, func(string) map[string]string { return l.Because.Args }) + ")"
		}
		if l.Said != "" {
			said += ": " + l.Said
		}
		if l.Late() {
			said += " [late]"
		}
		all = append(all, said)
	}
	return all
}

// repaired is the story that the demo tells, in the small.
func repaired(t *testing.T) *story {
	t.Helper()
	a := firing("HighErrorRate", "critical", noon)
	st := newStory(t)
	st.must(opening(Rule{Name: "shop", Quiet: 5 * time.Minute, Reopen: 30 * time.Minute}, a, firing("Slow", "warning", minute(1))), minute(2))
	st.must(Diagnosed{Findings: []Finding{{Check: "restart-web/health"}, {Check: "x/y", OK: true}}}, minute(2))
	st.must(suggestions(restart(42)), minute(2))
	st.must(Ack{By: bea}, minute(4))
	st.must(Vote{By: bea, Action: "restart-web", Value: 1, Text: "helped last week"}, minute(4))
	st.must(suggestions(restart(42)), minute(4)) // ranked again, nothing moved
	st.must(Approve{By: abe, Action: "restart-web", Digest: restart(42).Digest}, minute(5))
	st.must(StartRun{Run: "INC-42/1", Owner: "p"}, minute(5))
	st.must(FinishRun{Run: "INC-42/1", Owner: "p", Before: failed("health"), Steps: passed("restart")}, minute(6))
	st.must(Looked{Run: "INC-42/1", After: failed("health")}, minute(6))
	st.must(Looked{Run: "INC-42/1", After: passed("health")}, minute(7))
	st.must(receive(ended(a, minute(7)), ended(firing("Slow", "warning", minute(1)), minute(7))), minute(8))
	st.must(Looked{Run: "INC-42/1", After: passed("health")}, minute(9))
	st.must(Note{By: bea, Text: "traffic is back", At: minute(7)}, minute(10))
	st.wantStatus(Resolved)
	return st
}

func TestTimelineReadsLikeTheStory(t *testing.T) {
	t.Parallel()
	st := repaired(t)
	digest := short(restart(42).Digest)
	want := []string{
		"12:00:00 HighErrorRate began to fire [late]",
		"12:02:00 Incident opened on word from prometheus (rule shop puts all of them together)",
		"12:02:00 First investigation done: 1 of 2 checks do not pass",
		"12:02:00 Suggested as the next action: Restart the web tier",
		"12:04:00 bea acknowledged",
		"12:04:00 bea gave 👍 to Restart the web tier: helped last week",
		"12:05:00 abe asked to run Restart the web tier (request 1, plan " + digest + ")",
		"12:05:00 abe approved Restart the web tier (plan " + digest + ")",
		"12:05:00 Restart the web tier started (run INC-42/1)",
		"12:06:00 Restart the web tier: every step passed; now to see whether it helped",
		"12:07:00 2 alerts cleared",
		"12:07:00 bea noted: traffic is back [late]",
		"12:09:00 Looked 3 times; at the latest, 1 of 1 checks pass",
		"12:09:00 Restart the web tier helped, and that is proved (all checks pass, no alert fires, and it stayed so for 30s)",
		"12:09:00 Resolved (run INC-42/1, approved by abe, was verified)",
	}
	got := toldIn(t, Timeline(st.s, st.log))
	for i := range max(len(got), len(want)) {
		g, w := "nothing", "nothing"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Errorf("line %d\n got %s\nwant %s", i+1, g, w)
		}
	}
}

func TestLinesSpeakTheReadersLanguage(t *testing.T) {
	t.Parallel()
	st := repaired(t)
	for _, l := range Timeline(st.s, st.log) {
		if l.Kind == EventApproved && (l.Args("en")["action"] != "Restart the web tier" || l.Args("ja")["action"] != "Web層を再起動") {
			t.Errorf("the action is called %q and %q", l.Args("en")["action"], l.Args("ja")["action"])
		}
	}
}

// TestAStretchOfTheLogTellsTheSame: a room that has the first part already
// asks for the rest only.
func TestAStretchOfTheLogTellsTheSame(t *testing.T) {
	t.Parallel()
	st := repaired(t)
	whole := map[int64]string{}
	lines := Timeline(st.s, st.log)
	for i, said := range toldIn(t, lines) {
		whole[lines[i].Seq] = said
	}
	for from := range st.log {
		rest := Timeline(st.s, st.log[from:])
		for i, said := range toldIn(t, rest) {
			l := rest[i]
			if l.Kind == EventRanked || l.Kind == EventLooked || l.Kind == EventOpened {
				continue // folding, and what is said once, depend on what came before
			}
			if said != whole[l.Seq] {
				t.Errorf("from event %d on: %q, in the whole: %q", from+1, said, whole[l.Seq])
			}
		}
	}
}

func TestAlertSentences(t *testing.T) {
	t.Parallel()
	for want, n := range map[string]*News{
		"1 more alert began to fire":                         {Firing: 1},
		"3 more alerts began to fire":                        {Firing: 3, Untracked: 2},
		"1 alert cleared":                                    {Cleared: 1},
		"2 alerts began to fire, 1 cleared":                  {Firing: 2, Cleared: 1},
		"2 alerts lapsed":                                    {Cleared: 2, Expired: 2},
		"7 more alerts came than can be followed one by one": {Untracked: 7},
		"The sender left out 1 alert":                        {Truncated: 1},
		"Late news of alerts; what fires is unchanged":       {},
	} {
		e := Event{Kind: EventAlerts, At: noon, Written: noon, Alerts: n}
		if got := toldIn(t, Timeline(&Incident{}, []Event{e})); len(got) != 1 || got[0] != "12:00:00 "+want {
			t.Errorf("%+v reads %q, want %q", n, got, want)
		}
	}
}
