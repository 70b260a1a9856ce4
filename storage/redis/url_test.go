package redis

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

func TestParseURL(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"redis://localhost":                                      "[localhost:6379] db 0 user : master  cluster false tls false prefix hikeshi:",
		"redis://127.0.0.1:7000/3":                               "[127.0.0.1:7000] db 3 user : master  cluster false tls false prefix hikeshi:",
		"redis://[::1]:7000":                                     "[[::1]:7000] db 0 user : master  cluster false tls false prefix hikeshi:",
		"redis://[::1]":                                          "[[::1]:6379] db 0 user : master  cluster false tls false prefix hikeshi:",
		"redis://:secret@redis.example":                          "[redis.example:6379] db 0 user :secret master  cluster false tls false prefix hikeshi:",
		"rediss://bot:p%40ss%2F@redis.example:1/1?prefix=a:":     "[redis.example:1] db 1 user bot:p@ss/ master  cluster false tls true prefix a:",
		"redis://a:b@h1:1,h2,h3:3":                               "[h1:1 h2:6379 h3:3] db 0 user a:b master  cluster false tls false prefix hikeshi:",
		"redis+cluster://a:b@h1":                                 "[h1:6379] db 0 user a:b master  cluster true tls false prefix hikeshi:",
		"redis+sentinel://a:b@h1,h2:5/main/2?wait_replicas=1":    "[h1:26379 h2:5] db 2 user a:b master main cluster false tls false prefix hikeshi: replicas 1",
		"rediss+sentinel://a:b@h1/main":                          "[h1:26379] db 0 user a:b master main cluster false tls true prefix hikeshi:",
		"redis://redis.example?allow_no_password=true&prefix=p_": "[redis.example:6379] db 0 user : master  cluster false tls false prefix p_",
	} {
		o, err := parseURL(url)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		got := fmt.Sprintf("%v db %d user %s:%s master %s cluster %v tls %v prefix %s", o.Addrs, o.DB, o.Username, o.Password, o.MasterName, o.IsClusterMode, o.TLSConfig != nil, o.prefix)
		if o.replicas > 0 {
			got += fmt.Sprintf(" replicas %d", o.replicas)
		}
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", url, got, want)
		}
		if o.MaxRetries != -1 {
			t.Errorf("%s: the client retries by itself (%d)", url, o.MaxRetries)
		}
	}
}

func TestParseURLRefuses(t *testing.T) {
	t.Parallel()
	for url, word := range map[string]string{
		"":                                     "not known",
		"localhost:6379":                       "not known",
		"http://localhost":                     "http",
		"redis+ring://localhost":               "redis+ring",
		"redis://":                             "host:port",
		"redis://:x@":                          "host:port",
		"redis://localhost:99999":              "host:port",
		"redis://localhost:port":               "host:port",
		"redis://a:b@h1,":                      "host:port",
		"redis://localhost/zero":               "zero",
		"redis://localhost/-1":                 "-1",
		"redis+sentinel://localhost":           "master",
		"redis://localhost?prefix={s1}":        "prefix",
		"redis://localhost?prefix=":            "prefix",
		"redis://localhost?colour=red":         "colour",
		"redis://localhost?%zz":                "options",
		"redis://localhost?wait_replicas=-1":   "wait_replicas",
		"redis://a:s3cr3t%zz@localhost":        "not escaped",
		"redis://redis.example:6379":           "no password",
		"redis://127.0.0.1,redis.example":      "no password",
		"redis+cluster://:x@h?wait_replicas=1": "Cluster",
	} {
		_, err := parseURL(url)
		e, ok := errors.AsType[*incidents.Error](err)
		if !ok || e.Code != incidents.Invalid || e.Hint == "" || !strings.Contains(e.Message, word) {
			t.Errorf("%s: %v, want one that mentions %q", url, err, word)
		}
		if err != nil && strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: the error tells the password: %v", url, err)
		}
	}
}
