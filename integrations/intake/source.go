package intake

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// MinToken is the fewest bytes a token may have.
const MinToken = 16

// MaxTokens is how many of a source's tokens are valid at once: the one in use
// and the next, so that a rotation loses no alert.
const MaxTokens = 2

// Source is somebody who may send alerts.
type Source struct {
	Name   string // lower-case letters, digits, _ and -; shown to people and used in metrics
	Tokens []Token
}

// Token is a secret that prints as [secret] whatever the verb.
type Token string

const redacted = "[secret]"

// Format writes [secret].
func (Token) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(redacted)) }

// MarshalText writes [secret].
func (Token) MarshalText() ([]byte, error) { return []byte(redacted), nil }

var sourceName = regexp.MustCompile(`\A[a-z0-9][a-z0-9_-]{0,62}\z`)

// ValidateSources says everything that is wrong with sources, or nil: joined
// errors that are *incidents.Error, each of whose Args say which source ("index",
// from 0) and which of its keys ("key") is meant.
func ValidateSources(sources []Source) error {
	var problems []error
	names, digests := map[string]bool{}, map[[sha256.Size]byte]string{}
	for i, s := range sources {
		wrong := func(key, phrase, message string, args ...string) *incidents.Error {
			args = append(args, "index", strconv.Itoa(i), "key", key, "name", s.Name, "min", strconv.Itoa(MinToken))
			return incidents.Fail(incidents.Invalid, phrase, message, args...)
		}
		if !sourceName.MatchString(s.Name) {
			problems = append(problems, wrong("name", "config.source_name", fmt.Sprintf("the name of alert source %d is not of the form prometheus-eu", i+1)))
		}
		if names[s.Name] {
			problems = append(problems, wrong("name", "config.source_twice", fmt.Sprintf("two alert sources are called %q", s.Name)))
		}
		names[s.Name] = true
		if n := len(s.Tokens); n < 1 || n > MaxTokens {
			problems = append(problems, wrong("token", "config.source_tokens", fmt.Sprintf("alert source %q has %d tokens; it needs one, or two during a rotation", s.Name, n)).WithHint(newToken))
		}
		for _, t := range s.Tokens {
			if phrase, problem := checkToken(t); problem != "" {
				problems = append(problems, wrong("token", phrase, fmt.Sprintf("a token of alert source %q %s", s.Name, problem)).WithHint(newToken))
				continue
			}
			digest := sha256.Sum256([]byte(t))
			if other, taken := digests[digest]; taken {
				problems = append(problems, wrong("token", "config.source_common", fmt.Sprintf("alert sources %q and %q have a token in common", other, s.Name), "other", other).WithHint(newToken))
			}
			digests[digest] = s.Name
		}
	}
	return errors.Join(problems...)
}

const newToken = "openssl rand -hex 32"

func checkToken(t Token) (phrase, problem string) {
	switch {
	case len(t) < MinToken:
		return "config.source_token_short", fmt.Sprintf("is shorter than %d bytes", MinToken)
	case strings.ContainsFunc(string(t), func(c rune) bool { return c <= ' ' || c > '~' }):
		return "config.source_token_space", "holds a space, or something that cannot be in a header"
	case strings.Count(string(t), string(t[:1])) == len(t):
		return "config.source_token_same", "is one character over and over"
	}
	return "", ""
}

func invalid(message, hint string) *incidents.Error {
	return &incidents.Error{Code: incidents.Invalid, Message: message, Hint: hint}
}

// known is the sources as they are compared: by the SHA-256 of a token, so
// that neither a token's length nor its bytes show in the time it takes.
type known struct {
	names   []string
	digests [][sha256.Size]byte // digests[i] belongs to names[i]
}

func newKnown(sources []Source) known {
	var k known
	for _, s := range sources {
		for _, t := range s.Tokens {
			k.names = append(k.names, s.Name)
			k.digests = append(k.digests, sha256.Sum256([]byte(t)))
		}
	}
	return k
}

// authenticate finds whose token the request bears; it looks at every one,
// whatever it found. A token in the URL is never looked at. Grafana's
// Alertmanager contact point can do no more than basic authentication, so a
// password is a token too, whatever the user's name.
func (k known) authenticate(r *http.Request) (source string, ok bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	bears := strings.EqualFold(scheme, "Bearer")
	if _, password, basic := r.BasicAuth(); basic {
		token, bears = password, true
	}
	digest := sha256.Sum256([]byte(token))
	found := -1
	for i := range k.digests {
		if subtle.ConstantTimeCompare(digest[:], k.digests[i][:]) == 1 {
			found = i
		}
	}
	if found < 0 || !bears {
		return "", false
	}
	return k.names[found], true
}
