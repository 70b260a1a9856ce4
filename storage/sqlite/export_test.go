package sqlite

import "context"

// Noted counts the claims whose attempt is in the file.
func Noted(s *Store) int {
	s.queue.mu.Lock()
	n := 0
	for _, c := range s.queue.claims {
		if c.noted {
			n++
		}
	}
	s.queue.mu.Unlock()
	if n > 0 {
		_, _ = s.Prune(context.Background(), 0) // waits for whatever is being written
	}
	return n
}

// Statements are all of them.
func Statements() []string { return statements[:] }
