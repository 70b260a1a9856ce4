package slack

// Method is what Slack's reference says of one of its methods.
type Method struct {
	Args     []string // it takes
	Needs    []string // of them, it must have
	Scope    string   // one that allows it; "" none needed
	Tier     int      // requests a minute; 0: see the code
	Errors   []string // it may answer with, besides those of every method
	AppToken bool     // it wants the app-level token
	JSON     bool     // it is called with JSON
}

// Methods are those that the fake knows. A test holds them against Slack's own
// reference.
var Methods = map[string]Method{
	"auth.test":                    {},
	"bots.info":                    {Args: []string{"bot", "team_id"}, Scope: "users:read", Tier: 50, Errors: []string{"bot_not_found"}},
	"users.info":                   {Args: []string{"user", "include_locale"}, Needs: []string{"user"}, Scope: "users:read", Tier: 100, Errors: []string{"user_not_found"}},
	"users.conversations":          {Args: []string{"cursor", "exclude_archived", "limit", "team_id", "types", "user"}, Scope: "channels:read", Tier: 50},
	"usergroups.users.list":        {Args: []string{"usergroup", "include_disabled", "team_id"}, Needs: []string{"usergroup"}, Scope: "usergroups:read", Tier: 20, Errors: []string{"no_such_subteam"}},
	"conversations.create":         {Args: []string{"name", "is_private", "team_id"}, Needs: []string{"name"}, Scope: "channels:manage", Tier: 20, Errors: []string{"name_taken", "invalid_name_specials", "invalid_name_maxlength", "invalid_name_required", "restricted_action"}},
	"conversations.invite":         {Args: []string{"channel", "users", "force"}, Needs: []string{"channel", "users"}, Scope: "channels:manage", Tier: 50, Errors: []string{"already_in_channel", "cant_invite_self", "channel_not_found", "is_archived", "user_not_found"}},
	"conversations.setTopic":       {Args: []string{"channel", "topic"}, Needs: []string{"channel", "topic"}, Scope: "channels:manage", Tier: 20, Errors: []string{"channel_not_found", "is_archived", "too_long"}},
	"conversations.setPurpose":     {Args: []string{"channel", "purpose"}, Needs: []string{"channel", "purpose"}, Scope: "channels:manage", Tier: 20, Errors: []string{"channel_not_found", "is_archived", "too_long"}},
	"conversations.history":        {Args: []string{"channel", "cursor", "include_all_metadata", "inclusive", "latest", "limit", "oldest"}, Needs: []string{"channel"}, Scope: "channels:history", Tier: 50, Errors: []string{"channel_not_found", "not_in_channel"}},
	"conversations.replies":        {Args: []string{"channel", "ts", "cursor", "include_all_metadata", "inclusive", "latest", "limit", "oldest"}, Needs: []string{"channel", "ts"}, Scope: "channels:history", Tier: 50, Errors: []string{"channel_not_found", "thread_not_found"}},
	"conversations.archive":        {Args: []string{"channel"}, Needs: []string{"channel"}, Scope: "channels:manage", Tier: 20, Errors: []string{"already_archived", "channel_not_found"}},
	"chat.postMessage":             {Args: []string{"channel", "text", "blocks", "metadata", "thread_ts", "unfurl_links", "unfurl_media", "link_names", "parse"}, Needs: []string{"channel"}, Scope: "chat:write", Errors: []string{"channel_not_found", "is_archived", "not_in_channel", "invalid_blocks", "no_text", "msg_blocks_too_long"}},
	"chat.update":                  {Args: []string{"channel", "ts", "text", "blocks", "metadata", "link_names", "parse"}, Needs: []string{"channel", "ts"}, Scope: "chat:write", Tier: 50, Errors: []string{"channel_not_found", "message_not_found", "cant_update_message", "invalid_blocks", "msg_too_long", "no_text"}},
	"chat.postEphemeral":           {Args: []string{"channel", "user", "text", "blocks", "thread_ts", "link_names", "parse"}, Needs: []string{"channel", "user"}, Scope: "chat:write", Tier: 100, Errors: []string{"channel_not_found", "user_not_in_channel", "not_in_channel", "invalid_blocks", "no_text"}},
	"pins.add":                     {Args: []string{"channel", "timestamp"}, Needs: []string{"channel"}, Scope: "pins:write", Tier: 20, Errors: []string{"already_pinned", "message_not_found", "channel_not_found"}},
	"bookmarks.add":                {Args: []string{"channel_id", "title", "type", "link", "emoji"}, Needs: []string{"title", "type"}, Scope: "bookmarks:write", Tier: 20, Errors: []string{"channel_not_found", "invalid_link"}},
	"bookmarks.list":               {Args: []string{"channel_id"}, Scope: "bookmarks:read", Tier: 50, Errors: []string{"channel_not_found"}},
	"files.getUploadURLExternal":   {Args: []string{"filename", "length", "alt_txt", "snippet_type"}, Needs: []string{"filename", "length"}, Scope: "files:write", Tier: 100, Errors: []string{"missing_argument", "alt_txt_too_large"}},
	"files.completeUploadExternal": {Args: []string{"files", "channel_id", "thread_ts", "initial_comment"}, Needs: []string{"files"}, Scope: "files:write", Tier: 100, Errors: []string{"file_not_found", "channel_not_found"}},
	"views.open":                   {Args: []string{"trigger_id", "view"}, Needs: []string{"view"}, Tier: 100, Errors: []string{"expired_trigger_id", "exchanged_trigger_id"}, JSON: true},
	"views.publish":                {Args: []string{"user_id", "view", "hash"}, Needs: []string{"user_id", "view"}, Tier: 100, JSON: true},
	"apps.connections.open":        {Tier: 50, AppToken: true},
}
