package redis

import (
	"slices"
	"testing"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// Whoever else may publish on the server says nothing that its hearers would have to
// check: of other shards than ours there is no signal.
func TestHeard(t *testing.T) {
	t.Parallel()
	for message, want := range map[string][]int{
		"":                          nil,
		"other":                     nil,
		"other {":                   nil,
		"self [{\"Shard\":1}]":      nil,
		"other []":                  nil,
		"other [{\"Shard\":1}]":     {1},
		"other [{},{\"Shard\":15}]": {0, 15},
		"other [{\"Shard\":16},{\"Shard\":-1},{\"Shard\":2}]": {2},
	} {
		var got []int
		for _, sig := range heard(message, "self", 16) {
			got = append(got, sig.Shard)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: signals of shards %v, want %v", message, got, want)
		}
	}
	if got := heard(`o [{"Kind":"room","Room":"lobby"}]`, "self", 16); len(got) != 1 || got[0] != (incidents.Signal{Kind: incidents.SignalRoom, Room: "lobby"}) {
		t.Errorf("a post: %+v", got)
	}
}

// Databases share a server's channels: each but the first has one of its own.
func TestChannel(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"redis://localhost": "hikeshi:signals", "redis://localhost/0": "hikeshi:signals",
		"redis://localhost/1": "hikeshi:signals:1", "redis://localhost/3?prefix=ours:": "ours:signals:3",
	} {
		target, err := parseURL(url)
		if err != nil || target.channel() != want {
			t.Errorf("%s: %s, %v", url, target.channel(), err)
		}
	}
}
