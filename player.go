package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot/phrases"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// player is somebody at the HTTP API: it tells on the terminal what happens,
// and in `demo --auto` does what a person would do in the browser.
type player struct {
	url  string
	lang string
	out  io.Writer
	http *http.Client
	told map[incidents.ID]int64 // how much of each incident's timeline was told
}

func newPlayer(url, lang string, out io.Writer) *player {
	return &player{url: url, lang: lang, out: out, http: &http.Client{Timeout: 10 * time.Second}, told: map[incidents.ID]int64{}}
}

// seen is an incident as the API tells it: what the player decides by.
type seen struct {
	ID          incidents.ID           `json:"id"`
	Name        string                 `json:"name"`
	Title       string                 `json:"title"`
	Status      incidents.Status       `json:"status"`
	Findings    []incidents.Finding    `json:"findings"`
	Suggestions []incidents.Suggestion `json:"suggestions"`
	Runs        []incidents.Run        `json:"runs"`
}

// played is what an incident taught: the ranking before, after the proof, and after
// what people thought of it.
type played [][]incidents.Suggestion

// respond waits for an incident, reads the diagnosis, approves the action that
// cures it, waits for the proof, and says what it thinks of the list: a thumb up for
// what helped, and one down for the next on it, which would not have.
func (p *player) respond(ctx context.Context, cure string) (played, error) {
	var result played
	inc, err := p.await(ctx, 0, func(s *seen) bool { return len(s.Suggestions) > 0 && len(s.Findings) > 0 })
	if err != nil {
		return result, fmt.Errorf("wait for an incident with suggestions: %w", err)
	}
	result = append(result, inc.Suggestions)
	if err := p.command(ctx, inc.ID, "ack"); err != nil {
		return result, err
	}
	if err := p.command(ctx, inc.ID, "lead me"); err != nil {
		return result, err
	}
	rank := 0
	for _, s := range inc.Suggestions {
		if s.Action == cure {
			rank = s.Rank
		}
	}
	if rank == 0 {
		return result, fmt.Errorf("%s is not among the suggestions", cure)
	}
	if err := p.command(ctx, inc.ID, "approve "+strconv.Itoa(rank)); err != nil {
		return result, err
	}
	inc, err = p.await(ctx, inc.ID, func(s *seen) bool {
		return s.Status == incidents.Resolved || s.Status == incidents.Closed || len(s.Runs) > 0 && hopeless(s.Runs[len(s.Runs)-1].State)
	})
	if err != nil {
		return result, fmt.Errorf("wait for the resolution: %w", err)
	}
	if inc.Status != incidents.Resolved && inc.Status != incidents.Closed {
		return result, fmt.Errorf("the run ended as %s", inc.Runs[len(inc.Runs)-1].State)
	}
	inc, err = p.await(ctx, inc.ID, func(s *seen) bool { return evidenceOf(s.Suggestions, cure).Worked > 0 })
	if err != nil {
		return result, fmt.Errorf("wait for the ranking to learn from the outcome: %w", err)
	}
	result = append(result, inc.Suggestions)
	if err := p.command(ctx, inc.ID, "vote "+cure+" up"); err != nil {
		return result, err
	}
	wrong := ""
	for _, g := range slices.Backward(inc.Suggestions) {
		if g.Action != cure {
			wrong = g.Action
		}
	}
	if wrong != "" {
		if err := p.command(ctx, inc.ID, "vote "+wrong+" down wrong-cause"); err != nil {
			return result, err
		}
	}
	inc, err = p.await(ctx, inc.ID, func(s *seen) bool {
		return evidenceOf(s.Suggestions, cure).Up > 0 && (wrong == "" || evidenceOf(s.Suggestions, wrong).Down > 0)
	})
	if err != nil {
		return result, fmt.Errorf("wait for the ranking to learn from the thumbs: %w", err)
	}
	return append(result, inc.Suggestions), nil
}

func hopeless(s incidents.RunState) bool {
	return s == incidents.RunFailed || s == incidents.RunNotVerified || s == incidents.RunUnknown
}

func evidenceOf(list []incidents.Suggestion, action string) incidents.Evidence {
	for _, s := range list {
		if s.Action == action {
			return s.Evidence
		}
	}
	return incidents.Evidence{}
}

// samePlace says whether the same action stands there.
func samePlace(a, b incidents.Suggestion) bool { return a.Action == b.Action && a.Rank == b.Rank }

// await looks at an incident (0: the newest) every so often, telling what is
// new, until good says so or ctx ends.
func (p *player) await(ctx context.Context, id incidents.ID, good func(*seen) bool) (*seen, error) {
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	for {
		if err := p.narrate(ctx); err != nil {
			return nil, err
		}
		s, err := p.incident(ctx, id)
		if err != nil {
			return nil, err
		}
		if s != nil && good(s) {
			return s, p.narrate(ctx)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-look.C:
		}
	}
}

// incident reads one incident, or the newest; nil where there is none yet.
func (p *player) incident(ctx context.Context, id incidents.ID) (*seen, error) {
	if id == 0 {
		ids, err := p.list(ctx)
		if err != nil || len(ids) == 0 {
			return nil, err
		}
		id = ids[0]
	}
	var answer struct{ Incident seen }
	if err := p.get(ctx, fmt.Sprintf("/api/v1/incidents/%d", id), &answer); err != nil {
		return nil, err
	}
	return &answer.Incident, nil
}

func (p *player) list(ctx context.Context) ([]incidents.ID, error) {
	var page struct {
		Incidents []struct {
			ID incidents.ID `json:"id"`
		} `json:"incidents"`
	}
	if err := p.get(ctx, "/api/v1/incidents", &page); err != nil {
		return nil, err
	}
	ids := make([]incidents.ID, 0, len(page.Incidents))
	for _, i := range page.Incidents {
		ids = append(ids, i.ID)
	}
	return ids, nil
}

// narrate prints the timeline lines that were not told yet.
func (p *player) narrate(ctx context.Context) error {
	ids, err := p.list(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		var timeline struct {
			Lines []struct {
				Seq     int64     `json:"seq"`
				At      time.Time `json:"at"`
				By      string    `json:"by"`
				Text    string    `json:"text"`
				Because string    `json:"because"`
			} `json:"lines"`
		}
		if err := p.get(ctx, fmt.Sprintf("/api/v1/incidents/%d/timeline?after=%d", id, p.told[id]), &timeline); err != nil {
			return err
		}
		for _, l := range timeline.Lines {
			if l.Seq <= p.told[id] {
				continue
			}
			p.told[id] = l.Seq
			line := fmt.Sprintf("  %s  %-6s  %s", l.At.Local().Format("15:04:05"), id, l.Text)
			if l.Because != "" {
				line += " — " + l.Because
			}
			fmt.Fprintln(p.out, line)
		}
	}
	return nil
}

// ranking prints a ranked list with its evidence.
func (p *player) ranking(list []incidents.Suggestion) {
	for _, s := range list {
		e := s.Evidence
		fmt.Fprintf(p.out, "  %d. %s (%s)\n", s.Rank, s.Title.In(p.lang), phrases.T(p.lang, "demo.evidence",
			"worked", strconv.Itoa(e.Worked), "tried", strconv.Itoa(e.Tried), "up", strconv.Itoa(e.Up), "down", strconv.Itoa(e.Down)))
	}
}

func (p *player) command(ctx context.Context, id incidents.ID, line string) error {
	body, err := json.Marshal(map[string]string{"command": line})
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "> /inc %s\n", line)
	if err := p.call(ctx, http.MethodPost, fmt.Sprintf("/api/v1/incidents/%d/commands", id), bytes.NewReader(body), nil); err != nil {
		return fmt.Errorf("/inc %s: %w", line, err)
	}
	return nil
}

func (p *player) get(ctx context.Context, path string, into any) error {
	return p.call(ctx, http.MethodGet, path, nil, into)
}

func (p *player) call(ctx context.Context, method, path string, body io.Reader, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, p.url+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept-Language", p.lang)
	resp, err := p.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if resp.StatusCode >= 300 {
		var refusal struct {
			Error struct{ Message, Hint string } `json:"error"`
		}
		if json.Unmarshal(b, &refusal) == nil && refusal.Error.Message != "" {
			return errors.New(strings.TrimSpace(refusal.Error.Message + " " + refusal.Error.Hint))
		}
		return fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(b, into)
}
