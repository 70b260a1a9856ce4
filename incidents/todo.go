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
	Opened *Mark  `json:"opened,omitempty"` // when it was last found not to be done, or dropped, after all

	Dropped *Mark  `json:"dropped,omitempty"` // it was taken back: nobody will do it
	Why     string `json:"why,omitempty"`     // it was dropped, in somebody's own words; may be empty
}

// Ended says that nothing is left to do about it.
func (t *Todo) Ended() bool { return t.Done != nil || t.Dropped != nil }

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
	if err := fits(c.Text, "/inc todo raise the pool's limit"); err != nil {
		return nil, err
	}
	same := slices.IndexFunc(s.Todos, func(t Todo) bool { return t.Text == c.Text })
	switch {
	case c.Text == "":
		return nil, Fail(Invalid, "error.todo_text", "a follow-up needs a text").WithHint("/inc todo raise the pool's limit")
	case same >= 0 && s.Todos[same].Dropped != nil: // somebody wants it after all
		return EndTodo{By: c.By, N: s.Todos[same].N, Open: true}.decide(s, time.Time{})
	case same >= 0:
		return nil, nil // it is there
	case len(s.Todos) >= MaxTodos:
		return nil, Fail(TooLarge, "error.too_many_todos", "an incident has at most 50 follow-ups", "max", strconv.Itoa(MaxTodos)).WithHint("/inc todo")
	}
	return []Event{{Kind: EventTodo, By: c.By, Value: len(s.Todos) + 1, Text: c.Text}}, nil
}

// fits refuses words of which a part would be lost.
func fits(words, hint string) error {
	if len(words) <= MaxTodo {
		return nil
	}
	return Fail(TooLarge, "error.todo_long", "a follow-up and the reason to drop it have at most 500 bytes each", "max", strconv.Itoa(MaxTodo), "n", strconv.Itoa(len(words))).WithHint(hint)
}

// EndTodo says that a follow-up is done, or with Open that it is not.
type EndTodo struct {
	By   Actor
	N    int
	Open bool
}

func (c EndTodo) decide(s *Incident, _ time.Time) ([]Event, error) {
	t, err := s.findTodo(c.N)
	if err != nil {
		return nil, err
	}
	if c.Open && !t.Ended() || !c.Open && t.Done != nil {
		return nil, nil
	}
	kind := EventTodoDone
	if c.Open {
		kind = EventTodoOpen
	}
	return []Event{{Kind: kind, By: c.By, Value: t.N, Text: t.Text}}, nil
}

// DropTodo takes a follow-up back. It stays on the list, so that people see that
// somebody decided against it; EndTodo with Open has it back.
type DropTodo struct {
	By  Actor
	N   int
	Why string // may be empty
}

func (c DropTodo) decide(s *Incident, _ time.Time) ([]Event, error) {
	t, err := s.findTodo(c.N)
	switch {
	case err != nil:
		return nil, err
	case t.Done != nil: // that would hide that it was
		return nil, Fail(Conflict, "error.todo_is_done", "the follow-up is done", "n", strconv.Itoa(c.N)).WithHint("/inc todo open " + strconv.Itoa(c.N))
	case t.Dropped != nil:
		return nil, nil
	}
	if err := fits(c.Why, "/inc todo drop "+strconv.Itoa(c.N)+" the old pool goes"); err != nil {
		return nil, err
	}
	return []Event{{Kind: EventTodoDropped, By: c.By, Value: t.N, Text: t.Text, Why: c.Why}}, nil
}

func (s *Incident) findTodo(n int) (*Todo, error) {
	if err := s.known(); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(s.Todos, func(t Todo) bool { return t.N == n })
	if i < 0 {
		return nil, Fail(NotFound, "error.no_todo", "there is no such follow-up", "n", strconv.Itoa(n)).WithHint("/inc todo")
	}
	return &s.Todos[i], nil
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
		t := &s.Todos[i]
		if t.N != e.Value {
			continue
		}
		t.Done, t.Opened, t.Dropped, t.Why = nil, nil, nil, e.Why
		switch e.Kind {
		case EventTodoDone:
			t.Done = ref(mark(e))
		case EventTodoDropped:
			t.Dropped = ref(mark(e))
		default:
			t.Opened = ref(mark(e))
		}
	}
}
