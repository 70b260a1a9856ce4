package web

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/learning/report"
)

// Report is what the tests' console has learned: one service has a name that wants
// to be markup.
func (w *world) Report(context.Context) (*report.Report, error) {
	p := report.Part{Hit1: report.Share{N: 2, Of: 3}, Hit3: report.Share{N: 3, Of: 3}, Accepted: report.Share{N: 3, Of: 4}, Verified: report.Share{N: 3, Of: 4}}
	named := func(name string) report.Part { q := p; q.Name = name; return q }
	return &report.Report{
		At: w.now(), Facts: 12, All: p, Services: []report.Part{named("<img src=x onerror=alert(1)>")}, Weeks: []report.Part{named("2026-03-02")},
		Compared: []report.Ranker{{Name: "hikeshi", Hit1: p.Hit1}, {Name: "frequent"}, {Name: "frozen"}}, Since: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		Calibration: []report.Bin{{From: .5, To: .6, Predicted: .55, Observed: report.Share{N: 1, Of: 2}}},
		Unread:      3, Struck: []report.Struck{{At: w.now(), By: "console:bea", Person: "slack:T1/<b>"}, {At: w.now(), By: "cli", Service: "shop"}},
		New: []string{"flush-cache"}, Moves: []report.Move{{Alert: "Errors", Service: "shop", Action: "restart-till", Before: 2, After: 1}},
	}, nil
}

func TestTheLearningPageSaysHowGoodTheSuggestionsAre(t *testing.T) {
	t.Parallel()
	_, s := handler(t, nil)
	for lang, wants := range map[string][]string{
		"en": {"<h1>Learning</h1>", "67 % <span", "2/3", "most frequent", "0.5–0.6", "promised", "new action: flush-cache", "restart-till", "2 → <strong>1</strong>", "took back the votes of slack:T1/", "of shop until", "3 facts cannot be read"},
		"ja": {"<h1>学習</h1>", "最頻", "見込み", "新しい対処: flush-cache", "取り消した学習", "3 件の事実が読めません"},
	} {
		got := ask(s, http.MethodGet, "/learning", "", func(r *http.Request) { r.Header.Set("Accept-Language", lang) })
		page := got.Body.String()
		for _, want := range wants {
			if got.Code != http.StatusOK || !strings.Contains(page, want) {
				t.Errorf("%s: %d, no %q in the page", lang, got.Code, want)
			}
		}
		if strings.Contains(page, "<img src=x") || strings.Contains(page, "/<b>") || !strings.Contains(page, "&lt;img") {
			t.Errorf("%s: a service's name is markup", lang)
		}
	}
	var r report.Report
	if got := ask(s, http.MethodGet, "/api/v1/learning", ""); json.Unmarshal(got.Body.Bytes(), &r) != nil || r.All.Hit1 != (report.Share{N: 2, Of: 3}) {
		t.Errorf("the API says %s", got.Body)
	}
}
