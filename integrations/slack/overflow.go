package slack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	api "github.com/slack-go/slack"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
)

// inThread is what a thread shows as it is, in characters; more becomes a file.
const inThread = 6000

// overflow puts what a message shows in part only into its thread, as a whole:
// a reply, or a file. Its name is a digest of it, so it is there once, whatever
// fails.
func (c *Chat) overflow(ctx context.Context, room incidents.Room, id, key string, long []bot.Code) error {
	if len(long) == 0 {
		return nil
	}
	text := joined(long)
	sum := sha256.Sum256([]byte(text))
	name := key + "-" + hex.EncodeToString(sum[:6])
	file := name + ".txt"
	there, err := c.search(ctx, room.ID, id, room.OpenedAt)
	if err != nil || there[name] != "" || there["file/"+file] != "" {
		return explain(conversationReplies, err)
	}
	if length(text) <= inThread {
		_, err = c.say(ctx, room.ID, id, name, thread(long), limit.Normal)
		return explain(chatPostMessage, err)
	}
	err = c.upload(ctx, room.ID, id, upload{name: file, title: file, content: text, lane: limit.Normal, wait: callTime})
	if word := refused(err); word != "" && !ambiguous(err) { // the workspace takes no files: the console has it all
		c.log.WarnContext(ctx, "slack: could not put a long output into a thread", "channel", room.ID, "key", key, "error", err)
		return nil
	}
	return explain(filesComplete, err)
}

func joined(long []bot.Code) string {
	var b strings.Builder
	for _, l := range long {
		if l.Label != "" {
			b.WriteString("== " + strings.TrimSpace(l.Label) + "\n")
		}
		b.WriteString(strings.TrimRight(l.Text, "\n") + "\n\n")
	}
	return b.String()
}

// thread is a reply that shows all of it.
func thread(long []bot.Code) rendered {
	out := rendered{text: escape(cut(strings.TrimSpace(long[0].Label+"\n"+long[0].Text), 200))}
	for _, l := range long {
		r := (&rich{}).bold(strings.TrimSpace(l.Label)).end()
		for rest := l.Text; rest != ""; {
			piece := rest
			if length(piece) > maxPart {
				piece = strings.TrimSuffix(cut(rest, maxPart), "…")
			}
			r.code(piece)
			rest = rest[len(piece):]
		}
		out.blocks = append(out.blocks, r.block())
	}
	return out
}

// upload is a file for a thread.
type upload struct {
	name, title, content string
	alt                  string        // what a picture shows
	lane                 limit.Lane    //
	wait                 time.Duration // for each turn
}

// maxAlt bounds what a picture is said to show: error alt_txt_too_large.
const maxAlt = 1000

// upload sends a file into a thread, in the three steps of Slack's external
// upload. Nothing is seen before the last one, so the first two may be repeated.
func (c *Chat) upload(ctx context.Context, channel, thread string, u upload) error {
	var at *api.GetUploadURLExternalResponse
	err := c.callWithin(ctx, u.wait, filesGetURL, "", u.lane, func(ctx context.Context) (err error) {
		at, err = c.api.GetUploadURLExternalContext(ctx, api.GetUploadURLExternalParameters{FileName: u.name, FileSize: len(u.content), AltTxt: cut(u.alt, maxAlt)})
		return err
	})
	if err != nil {
		return err
	}
	err = c.callWithin(ctx, u.wait, "files.upload", "", u.lane, func(ctx context.Context) error {
		return c.api.UploadToURL(ctx, api.UploadToURLParameters{UploadURL: at.UploadURL, Content: u.content, Filename: u.name})
	})
	if err != nil {
		return err
	}
	return c.callWithin(ctx, u.wait, filesComplete, "", u.lane, func(ctx context.Context) error {
		_, err := c.api.CompleteUploadExternalContext(ctx, api.CompleteUploadExternalParameters{
			Files: []api.FileSummary{{ID: at.FileID, Title: cut(u.title, maxTitle)}}, Channel: channel, ThreadTimestamp: thread})
		return err
	})
}
