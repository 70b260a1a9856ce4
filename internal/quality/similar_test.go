package main

import "testing"

func TestAnIncidentIsNeverToldItsOwnEnd(t *testing.T) {
	t.Parallel()
	ctx := map[string]string{"a": "b"}
	var past []pastIncident
	for i := range 20 {
		past = append(past, pastIncident{ID: "x", T: 7, Tr: 7, Ctx: ctx, KB: string(rune('a' + i))})
	}
	byStart := func(p pastIncident) int64 { return p.T }
	if hit, err := findAgain(t.Context(), past, byStart); err != nil || hit != 0 {
		t.Errorf("twenty different ends, hit %v, %v, want 0", hit, err)
	}
	for i := range past {
		past[i].KB = "same"
	}
	if hit, err := findAgain(t.Context(), past, byStart); err != nil || hit != 1 {
		t.Errorf("one end for all, hit %v, %v, want 1", hit, err)
	}
}
