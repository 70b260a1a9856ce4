package discord

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"

	"github.com/hikeshi-ops/hikeshi/bot"
)

// Register writes /inc into the guild where it is not there as it should be. It
// says whether anything was written.
func Register(ctx context.Context, c *Client, config Config, commands []bot.Command) (bool, error) {
	path := "/applications/" + config.App + "/guilds/" + config.Guild + "/commands"
	var there []application
	if err := c.do(ctx, ask{method: http.MethodGet, path: path + "?with_localizations=true", class: classSetup, key: config.Guild}, &there); err != nil {
		return false, missing(err, "applications.commands")
	}
	wanted := []application{slash(commands)}
	if same(there, wanted) {
		return false, nil
	}
	err := c.do(ctx, ask{method: http.MethodPut, path: path, body: wanted, class: classSetup, key: config.Guild}, nil)
	return err == nil, missing(err, "applications.commands")
}

// same compares what matters of commands, as JSON has it.
func same(a, b []application) bool {
	norm := func(v []application) (out any) {
		raw, err := json.Marshal(v)
		if err != nil {
			return nil
		}
		_ = json.Unmarshal(raw, &out)
		return out
	}
	return len(a) == len(b) && reflect.DeepEqual(norm(a), norm(b))
}
