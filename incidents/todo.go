package incidents

import (
	"slices"
	"strconv"
	"time"
)

// Todo is a follow-up: what is left to do because of an incident. It is written
// while people remember it, and done when the incident is long over.
type Todo struct {
	N      int    `json:"n"` // 1, 2, … within the incident
	Text   string `json:"text"`
	Added  Mark   `json:"added"`
	Done   *Mark  `json:"done,omitempty"`
	Opened *Mark  `json:"opened,omitempty"` // when it was last found not to be done after all
}

// Bounds of follow-ups: more of them nobody does.
const (
	MaxTodos = 50
	MaxTodo  = 500 // bytes
)

// AddTodo writes down what is left to do. Unlike other words it is also taken
// when the incident is closed: that is when people find out what it takes.
type AddTodo struct {
	By   Actor
	Text string
}

func (c AddTodo) decide(s *Incident, _ time.Time) ([]Event, error) {
	if err := s.known(); err != nil {
		return nil, err
	}
	switch {
	case c.Text == "":
		return nil, Fail(Invalid, "error.todo_text", "a follow-up needs a text").WithHint("/inc todo raise the pool's limit")
	case slices.ContainsFunc(s.Todos, func(t Todo) bool { return t.Text == cut(c.Text, MaxTodo) }):
		return nil, nil // it is there
	case len(s.Todos) >= MaxTodos:
		return nil, Fail(TooLarge, "error.too_many_todos", "an incident has at most 50 follow-ups", "max", strconv.Itoa(MaxTodos)).WithHint("/inc todo")
	}
	return []Event{{Kind: EventTodo, By: c.By, Value: len(s.Todos) + 1, Text: cut(c.Text, MaxTodo)}}, nil
}

// EndTodo says that a follow-up is done, or with Open that it is not.
type EndTodo struct {
	By   Actor
	N    int
	Open bool
}

func (c EndTodo) decide(s *Incident, _ time.Time) ([]Event, error) {
	if err := s.known(); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(s.Todos, func(t Todo) bool { return t.N == c.N })
	if i < 0 {
		return nil, Fail(NotFound, "error.no_todo", "there is no such follow-up", "n", strconv.Itoa(c.N)).WithHint("/inc todo")
	}
	t := &s.Todos[i]
	if (t.Done == nil) == c.Open {
		return nil, nil
	}
	kind := EventTodoDone
	if c.Open {
		kind = EventTodoOpen
	}
	return []Event{{Kind: kind, By: c.By, Value: t.N, Text: t.Text}}, nil
}

// known refuses what makes no sense for an incident that nobody was told of.
func (s *Incident) known() error {
	if s.Status() == Closed {
		return nil
	}
	return s.alive(s.UpdatedAt)
}

func (s *Incident) todo(e *Event) {
	if e.Kind == EventTodo {
		s.Todos = append(slices.Clone(s.Todos), Todo{N: e.Value, Text: e.Text, Added: mark(e)})
		return
	}
	s.Todos = slices.Clone(s.Todos)
	for i := range s.Todos {
		if t := &s.Todos[i]; t.N == e.Value {
			t.Done, t.Opened = nil, ref(mark(e))
			if e.Kind == EventTodoDone {
				t.Done, t.Opened = t.Opened, nil
			}
		}
	}
}
