package slack

import (
	"time"

	"github.com/hikeshi-ops/hikeshi/integrations/limit"
)

// The methods that are used. A test holds each, with its arguments and its
// rate, against Slack's own reference.
const (
	authTest            = "auth.test"
	bookmarksAdd        = "bookmarks.add"
	bookmarksList       = "bookmarks.list"
	botsInfo            = "bots.info"
	chatPostEphemeral   = "chat.postEphemeral"
	chatPostMessage     = "chat.postMessage"
	chatUpdate          = "chat.update"
	connectionsOpen     = "apps.connections.open"
	conversationArchive = "conversations.archive"
	conversationCreate  = "conversations.create"
	conversationHistory = "conversations.history"
	conversationInvite  = "conversations.invite"
	conversationPurpose = "conversations.setPurpose"
	conversationReplies = "conversations.replies"
	conversationTopic   = "conversations.setTopic"
	filesComplete       = "files.completeUploadExternal"
	filesGetURL         = "files.getUploadURLExternal"
	pinsAdd             = "pins.add"
	usergroupMembers    = "usergroups.users.list"
	usersConversations  = "users.conversations"
	usersInfo           = "users.info"
	viewsOpen           = "views.open"
	viewsPublish        = "views.publish"
)

// Tiers are the methods' rates, per workspace and app: tier 2 is 20 a minute,
// tier 3 is 50, tier 4 is 100 (https://docs.slack.dev/apis/web-api/rate-limits).
// chat.postMessage is one a second per channel with short bursts; of auth.test
// Slack says hundreds a minute.
var tiers = map[string]int{
	authTest: 100, bookmarksAdd: 20, bookmarksList: 50, botsInfo: 50, chatPostEphemeral: 100, chatUpdate: 50, connectionsOpen: 50,
	conversationArchive: 20, conversationCreate: 20, conversationHistory: 50, conversationInvite: 50, conversationPurpose: 20,
	conversationReplies: 50, conversationTopic: 20, filesComplete: 100, filesGetURL: 100, pinsAdd: 20, usergroupMembers: 20,
	usersConversations: 50, usersInfo: 100, viewsOpen: 100, viewsPublish: 100,
}

// postBurst is how many messages a channel takes in as many seconds.
const postBurst = 5

// Rates is what a limiter for Slack allows. Who posts in a channel is whoever has
// its room's effect, and that is one replica at a time.
func Rates() map[string]limit.Rate {
	rates := map[string]limit.Rate{chatPostMessage: {N: postBurst, Per: postBurst * time.Second, Own: true}, "": {N: 20, Per: time.Minute}}
	for method, n := range tiers {
		rates[method] = limit.Rate{N: n, Per: time.Minute}
	}
	return rates
}
