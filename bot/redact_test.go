package bot

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

// fill puts the secret into every string there is.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() {
			v.SetString("a hunter2 b")
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i))
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i))
			}
		}
	}
}

// No text of a ticket leaves with a secret in it, whichever field it is in, and
// the incident's own messages stay as they are.
func TestATicketIsRedactedThroughout(t *testing.T) {
	t.Parallel()
	var k Ticket
	fill(reflect.ValueOf(&k).Elem())
	k.Marker, k.Assignee.ID = "hikeshi-inc-42-x", "console:bea"
	for i := range k.Comments {
		k.Comments[i].Key = "line-1" // of ours, to be found again
	}
	body := k.Body
	k.Redact(func(s string) string { return strings.ReplaceAll(s, "hunter2", "***") })
	b, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "hunter2") || strings.Count(string(b), "***") < 40 {
		t.Errorf("%s", b)
	}
	if k.Marker != "hikeshi-inc-42-x" || body[0].Items[0].Code[0].Text != "a hunter2 b" {
		t.Errorf("%+v", k)
	}
}
