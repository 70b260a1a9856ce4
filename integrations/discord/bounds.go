package discord

import "time"

// Discord's limits. Lengths are in UTF-16 code units, as its clients count; we
// count bytes or runes where that is the same or less.
// https://docs.discord.com/developers/resources/message#embed-object-embed-limits
// https://docs.discord.com/developers/components/reference
const (
	maxContent   = 2000 // a bot's message; the specification says 4000, which is for others
	maxEmbeds    = 10
	maxEmbedSum  = 6000 // of all text in all embeds
	maxTitle     = 256
	maxText      = 4096 // an embed's description
	maxFields    = 25
	maxFieldName = 256
	maxValue     = 1024
	maxFooter    = 2048
	maxAuthor    = 256
	maxAlt       = 1024 // an attachment's description
	maxRows      = 5
	maxRowSize   = 5
	maxLabel     = 80
	maxCustomID  = 100
	maxOptions   = 25 // of a select menu
	maxOption    = 100
	maxChoices   = 25 // of an autocompletion
	maxTopic     = 1024
	maxNonce     = 25
	maxModal     = 45 // a form's title, and a field's label
	maxInput     = 4000

	maxChannel     = 100 // a channel's name
	maxCategory    = 90  // leaves room for a number
	maxPerCategory = 50
	maxPerGuild    = 500

	maxAnswer   = 1 << 20 // bytes that are read of an answer
	maxBody     = 1 << 20 // bytes that are read of a request to us
	callTimeout = 15 * time.Second
)

// Discord's error codes that mean something to us.
// https://docs.discord.com/developers/topics/opcodes-and-status-codes#json
const (
	codeUnknownChannel    = 10003
	codeUnknownMessage    = 10008
	codeUnknownWebhook    = 10015
	codeUnknownInteract   = 10062
	codeTooManyChannels   = 30013
	codeTooManyPins       = 30003
	codeInteractionDone   = 40060
	codeMissingAccess     = 50001
	codeMissingPermission = 50013
	codeInvalidForm       = 50035
)
