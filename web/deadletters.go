package web

import (
	"fmt"
	"net/http"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
)

// maxDeadLetters is how many are shown.
const maxDeadLetters = 200

// deadLetterView is one effect that was given up.
type deadLetterView struct {
	incidents.DeadLetter
	Said string // in words
}

func (s *Server) deadLettersPage(w http.ResponseWriter, r *http.Request, v *visit) error {
	all, err := s.DeadLetters.DeadLetters(r.Context(), maxDeadLetters)
	if err != nil {
		return fmt.Errorf("read the dead letters: %w", err)
	}
	views := make([]deadLetterView, 0, len(all))
	for _, d := range all {
		views = append(views, deadLetterView{d, bot.GaveUp(v.lang, d.Effect.Key, d.Reason)})
	}
	s.page(w, v, http.StatusOK, "deadletters", pageData{TitleKey: "web.dead.title", Tab: "dead",
		Body: map[string]any{"Letters": views, "Full": len(all) == maxDeadLetters, "Max": maxDeadLetters}})
	return nil
}

func (s *Server) redriveForm(w http.ResponseWriter, r *http.Request, v *visit) error {
	if err := parseForm(r); err != nil {
		return err
	}
	if err := s.redrive(r, v, r.PostForm.Get("key")); err != nil {
		return err
	}
	http.Redirect(w, r, "/dead-letters", http.StatusSeeOther)
	return nil
}

func (s *Server) apiDeadLetters(w http.ResponseWriter, r *http.Request, _ *visit) error {
	limit, err := number(r.URL.Query(), "limit", maxDeadLetters, 1, 1000)
	if err != nil {
		return err
	}
	all, err := s.DeadLetters.DeadLetters(r.Context(), int(limit))
	if err != nil {
		return fmt.Errorf("read the dead letters: %w", err)
	}
	if all == nil {
		all = []incidents.DeadLetter{}
	}
	answer(w, http.StatusOK, map[string]any{"dead_letters": all})
	return nil
}

func (s *Server) apiRedrive(w http.ResponseWriter, r *http.Request, v *visit) error {
	fields, err := readControl(r, "key")
	if err != nil {
		return err
	}
	if err := s.redrive(r, v, fields["key"]); err != nil {
		return err
	}
	answer(w, http.StatusOK, map[string]bool{"ok": true})
	return nil
}

func (s *Server) redrive(r *http.Request, v *visit, key string) error {
	if key == "" || len(key) > 500 {
		return invalid("field key must name a dead letter")
	}
	if err := s.DeadLetters.Redrive(r.Context(), key); err != nil {
		return fmt.Errorf("redrive %s: %w", clip(key, 100), err)
	}
	s.Log.InfoContext(r.Context(), "dead letter sent again", "effect", clip(key, 200), "by", v.person.ID, "request_id", v.requestID)
	return nil
}
