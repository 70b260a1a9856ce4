// Package phrases is the catalogue of every sentence a person sees, in English
// and Japanese. A sentence has a key ("error.closed") and may hold places to
// fill: {name}. What fills them is plain text and is never read as a phrase
// again; whoever shows the result escapes it for its medium.
//
// The sentences live in en/*.yaml and ja/*.yaml, one file an area. A test
// fails when a key exists in one language only, when its places differ, or
// when the sources use a key that does not exist.
//
// Start with T.
package phrases

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

// The languages.
const (
	English  = "en"
	Japanese = "ja"
)

// Languages that the catalogue has, the default first.
var Languages = []string{English, Japanese}

//go:embed en/*.yaml ja/*.yaml
var files embed.FS

// catalogue is read when the first sentence is said: a process that guards a
// command never says one.
var catalogue = sync.OnceValue(mustLoad)

// T says the sentence key in lang, its places filled from name, value pairs.
// An unknown language reads English. An unknown key reads as itself, so that
// nothing is ever silently empty; the tests see to it that none is left.
func T(lang, key string, args ...string) string {
	m := make(map[string]string, len(args)/2)
	for i := 0; i+1 < len(args); i += 2 {
		m[args[i]] = args[i+1]
	}
	return Fill(lang, key, m)
}

// Fill is T with the places' values in a map.
func Fill(lang, key string, args map[string]string) string {
	if lang != Japanese {
		lang = English
	}
	sentence, ok := catalogue()[lang][key]
	if !ok {
		return key
	}
	if len(args) == 0 || !strings.Contains(sentence, "{") {
		return sentence
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(sentence, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		if value, known := args[name]; closed && known {
			b.WriteString(value)
		} else {
			b.WriteString("{" + name)
			if closed {
				b.WriteString("}")
			}
		}
		sentence = after
	}
}

// Has says whether the catalogue knows the key.
func Has(key string) bool {
	_, ok := catalogue()[English][key]
	return ok
}

func mustLoad() map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, lang := range Languages {
		all[lang] = map[string]string{}
		paths, err := fs.Glob(files, lang+"/*.yaml")
		if err != nil {
			panic(err)
		}
		for _, path := range paths {
			b, err := files.ReadFile(path)
			if err != nil {
				panic(err)
			}
			var area map[string]string
			if err := yaml.Unmarshal(b, &area); err != nil {
				panic(fmt.Sprintf("phrases: read %s: %v", path, err))
			}
			for key, sentence := range area {
				if _, twice := all[lang][key]; twice {
					panic(fmt.Sprintf("phrases: %s: key %s exists already in another file", path, key))
				}
				all[lang][key] = sentence
			}
		}
	}
	return all
}

// Terminal is a terminal's language: Japanese where HIKESHI_LANGUAGE or the
// locale says so, else English.
func Terminal(getenv func(string) string) string {
	for _, name := range []string{"HIKESHI_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := getenv(name); v != "" {
			if strings.HasPrefix(v, Japanese) {
				return Japanese
			}
			return English
		}
	}
	return English
}
