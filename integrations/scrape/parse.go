package scrape

import (
	"math"
	"strconv"
	"strings"
)

// sample is one value of one series.
type sample struct {
	name, labels string
	counter      bool
	value        float64
}

func (s sample) key() string { return s.name + "{" + s.labels }

// parse reads the Prometheus text format, version 0.0.4. A line that it does not
// understand is passed over. Of a histogram or a summary only the count and the
// sum are told: a bucket by itself says nothing.
func parse(body string) []sample {
	kinds := map[string]string{}
	var all []sample
	for text := range strings.Lines(body) {
		text = strings.TrimSpace(text)
		if rest, ok := strings.CutPrefix(text, "# TYPE "); ok {
			if name, kind, ok := strings.Cut(rest, " "); ok {
				kinds[name] = kind
			}
			continue
		}
		if text == "" || text[0] == '#' {
			continue
		}
		if s, ok := readSample(text); ok && classify(&s, kinds) {
			all = append(all, s)
		}
	}
	return all
}

// classify says whether the sample is worth keeping, and whether it counts.
func classify(s *sample, kinds map[string]string) bool {
	switch kinds[s.name] {
	case "counter":
		s.counter = true
		return true
	case "gauge", "untyped":
		return !strings.HasSuffix(s.name, "_info")
	case "summary":
		return false // a quantile
	}
	for _, end := range []string{"_count", "_sum"} {
		if base, ok := strings.CutSuffix(s.name, end); ok && kinds[base] != "" {
			s.counter = true
			return true
		}
	}
	return !strings.HasSuffix(s.name, "_bucket")
}

// readSample reads name{labels} value [time].
func readSample(text string) (s sample, ok bool) {
	rest := ""
	if open := strings.IndexByte(text, '{'); open >= 0 && open < indexSpace(text) {
		end := closing(text, open)
		if end < 0 {
			return s, false
		}
		s.name, s.labels, rest = text[:open], tidy(text[open+1:end]), text[end+1:]
	} else {
		i := indexSpace(text)
		s.name, rest = text[:i], text[i:]
	}
	words := strings.Fields(rest)
	if s.name == "" || len(words) == 0 || len(words) > 2 {
		return s, false
	}
	v, err := strconv.ParseFloat(words[0], 64)
	s.value = v
	return s, err == nil && !math.IsNaN(v) && !math.IsInf(v, 0)
}

func indexSpace(text string) int {
	if i := strings.IndexAny(text, " \t"); i >= 0 {
		return i
	}
	return len(text)
}

// closing is where the labels end: a brace within quotes is none.
func closing(text string, open int) int {
	quoted := false
	for i := open; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == '}' && !quoted:
			return i
		}
	}
	return -1
}

// tidy writes labels for people: path=/checkout code=503.
func tidy(labels string) string {
	return strings.NewReplacer(`",`, " ", `"`, "").Replace(strings.TrimSuffix(labels, ","))
}
