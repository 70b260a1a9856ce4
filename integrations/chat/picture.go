package chat

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
)

// Pictures draws what an image of a message shows (bot.Image.Path), as PNG.
type Pictures interface {
	PNG(ctx context.Context, path string) ([]byte, error)
}

// Gallery has the pictures of a chat's messages. One that cannot be had or shown
// is counted and logged; the message has its link all the same.
type Gallery struct {
	Pictures Pictures // nil: there are links only
	Tally    *Tally
	Log      *slog.Logger
}

// Picture is an image of a message as a chat takes it.
type Picture struct {
	Image bot.Image
	Name  string // of the file: the same for the same picture
	PNG   []byte
}

// The bounds of what is drawn for one message. A chart has about 10 kB.
const (
	MaxPictures = 4
	maxPNG      = 2 << 20
	drawTime    = 3 * time.Second
)

// Draw draws the pictures of a message, those that can be drawn.
func (g Gallery) Draw(ctx context.Context, key string, images []bot.Image) []Picture {
	if g.Pictures == nil || len(images) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, drawTime)
	defer cancel()
	var all []Picture
	for _, i := range images[:min(len(images), MaxPictures)] {
		b, err := g.Pictures.PNG(ctx, i.Path)
		if err == nil && (len(b) > maxPNG || !bytes.HasPrefix(b, []byte("\x89PNG\r\n"))) {
			err = fmt.Errorf("these %d bytes are no PNG of at most %d", len(b), maxPNG)
		}
		if err != nil {
			g.Failed(ctx, key, 1, fmt.Errorf("draw %s: %w", i.Path, err))
			continue
		}
		sum := sha256.Sum256(b)
		all = append(all, Picture{Image: i, Name: "chart-" + hex.EncodeToString(sum[:6]) + ".png", PNG: b})
	}
	return all
}

// Shown counts pictures that stand in a room.
func (g Gallery) Shown(n int) { g.Tally.PicturesShown.Add(int64(n)) }

// Failed counts and logs pictures that do not come to be seen.
func (g Gallery) Failed(ctx context.Context, key string, n int, err error) {
	g.Tally.PicturesFailed.Add(int64(n))
	g.Log.WarnContext(ctx, "pictures are shown as links only", "key", key, "pictures", n, "error", err)
}
