package slack

import (
	"encoding/json"
	"slices"
	"strings"
)

// Scopes are what the app must be allowed, each for what it is needed for. The
// doctor compares them with what it has.
var scopes = []struct{ name, why string }{
	{"app_mentions:read", "@hikeshi …"},
	{"bookmarks:read", "bookmarks"},
	{"bookmarks:write", "bookmarks"},
	{"channels:history", "what was posted, after a crash"},
	{"channels:manage", "rooms"},
	{"channels:read", "rooms"},
	{"chat:write", "cards"},
	{"commands", "/inc"},
	{"files:write", "long outputs"},
	{"groups:history", "private rooms"},
	{"groups:read", "private rooms"},
	{"groups:write", "private rooms"},
	{"pins:write", "the card on top"},
	{"reactions:read", "👍 👎 👀 📌"},
	{"usergroups:read", "inviting user groups"},
	{"users:read", "who is a guest or a bot"},
}

// events are what Slack tells the app of.
var events = []string{"app_home_opened", "app_mention", "message.channels", "message.groups", "reaction_added", "reaction_removed"}

// Manifest is the app, to be pasted into Slack: for HTTP where url is where
// Slack reaches Hikeshi, else for sockets
// (https://docs.slack.dev/reference/app-manifest).
func Manifest(url string) []byte {
	type object = map[string]any
	url = strings.TrimRight(url, "/")
	allowed := make([]string, 0, len(scopes))
	for _, s := range scopes {
		allowed = append(allowed, s.name)
	}
	command := object{"command": "/inc", "description": "Incidents: /inc help", "usage_hint": "ack | status | declare SEV2 title | help", "should_escape": false}
	subscriptions := object{"bot_events": slices.Clone(events)}
	interactivity := object{"is_enabled": true}
	if url != "" {
		command["url"] = url + CommandsPath
		subscriptions["request_url"] = url + EventsPath
		interactivity["request_url"] = url + InteractionsPath
	}
	b, err := json.MarshalIndent(object{
		"display_information": object{"name": "Hikeshi", "description": "Incidents, from the alert to the lesson", "background_color": "#8c1d18"},
		"features": object{
			"app_home":       object{"home_tab_enabled": true, "messages_tab_enabled": false},
			"bot_user":       object{"display_name": "hikeshi", "always_online": true},
			"slash_commands": []object{command},
		},
		"oauth_config": object{"scopes": object{"bot": allowed}},
		"settings": object{
			"event_subscriptions": subscriptions, "interactivity": interactivity, "socket_mode_enabled": url == "",
			"org_deploy_enabled": false, "token_rotation_enabled": false,
		},
	}, "", "  ")
	if err != nil {
		panic("slack: the manifest did not encode: " + err.Error())
	}
	return append(b, '\n')
}
