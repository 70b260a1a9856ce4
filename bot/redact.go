package bot

import "reflect"

// Redact puts every text of the ticket that people wrote or that came from
// outside through clean. The marker stays: it must be found again.
func (t *Ticket) Redact(clean func(string) string) {
	t.Summary, t.Service, t.Assignee.Name = clean(t.Summary), clean(t.Service), clean(t.Assignee.Name)
	t.Body = redacted(t.Body, clean)
	for i := range t.Comments {
		c := &t.Comments[i]
		c.Text, c.By = clean(c.Text), clean(c.By)
	}
}

// redacted is a copy of the messages with every string cleaned, also in fields
// that are added later: nothing is forgotten because somebody did not list it.
func redacted(messages []Message, clean func(string) string) []Message {
	out := reflect.New(reflect.TypeFor[[]Message]()).Elem()
	redact(out, reflect.ValueOf(messages), clean)
	return out.Interface().([]Message)
}

func redact(to, from reflect.Value, clean func(string) string) {
	switch from.Kind() {
	case reflect.String:
		if from.Type() != reflect.TypeFor[string]() { // one of a few words of ours: a tone, a kind
			to.Set(from)
			return
		}
		to.SetString(clean(from.String()))
	case reflect.Slice:
		if from.IsNil() {
			return
		}
		to.Set(reflect.MakeSlice(from.Type(), from.Len(), from.Len()))
		for i := range from.Len() {
			redact(to.Index(i), from.Index(i), clean)
		}
	case reflect.Struct:
		if from.Type().PkgPath() != reflect.TypeFor[Message]().PkgPath() { // a time
			to.Set(from)
			return
		}
		for i := range from.NumField() {
			redact(to.Field(i), from.Field(i), clean)
		}
	default:
		to.Set(from)
	}
}
