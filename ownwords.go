package main

import (
	"reflect"

	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/runbooks/steps"
)

// ownWords are the fields of commands that people fill in their own words. What
// stands in them is seen in every room, in tickets and in drafts.
var ownWords = []string{"Text", "Despite", "Line"}

// withoutSecrets strikes out of a command what people pasted without thinking: a
// token in a note, a password in a reason. Plans, parameters and keys stay as they
// are: what is approved must not change on its way.
func withoutSecrets(cmd incidents.Command, redact *steps.Redactor) incidents.Command {
	v := reflect.ValueOf(cmd)
	if v.Kind() != reflect.Struct {
		return cmd
	}
	struck := reflect.New(v.Type()).Elem()
	struck.Set(v)
	for _, name := range ownWords {
		if f := struck.FieldByName(name); f.IsValid() && f.Kind() == reflect.String {
			f.SetString(redact.Clean(f.String()))
		}
	}
	return struck.Interface().(incidents.Command)
}
