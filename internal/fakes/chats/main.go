// Command chats is a Slack and a Discord to try Hikeshi against, on this
// machine and without accounts: the fakes of the tests, with a page that shows
// their rooms and lets somebody called bea type and press in them.
//
// It promises what the fakes promise: what the real ones would refuse is
// refused, and what would fail a test is printed. Start with
// go run ./internal/fakes/chats, which prints the configuration to use.
package main

import (
	"context"
	"flag"
	"fmt"
	"html/template"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"testing"
	"time"

	"github.com/hikeshi-ops/hikeshi/internal/fakes/discord"
	"github.com/hikeshi-ops/hikeshi/internal/fakes/slack"
)

// bea is the one who does things.
var bea = discord.Person{ID: "400000000000000001", Name: "bea"}

const beaInSlack = "U1"

// loud is what the fakes have in place of a test.
type loud struct{ testing.TB }

func (loud) Helper()        {}
func (loud) Cleanup(func()) {}
func (loud) Errorf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "WRONG: "+format+"\n", args...)
}
func (loud) Fatal(args ...any) { fmt.Fprintln(os.Stderr, args...); os.Exit(1) }

// chats are both, and the page.
type chats struct {
	slack   *slack.Server
	discord *discord.Server
}

func main() {
	listen := flag.String("listen", "127.0.0.1:8095", "where the page is")
	tiers := flag.Bool("tiers", false, "keep Slack's rates")
	flag.Parse()
	c := &chats{slack.New(loud{}, slack.Options{Tiers: *tiers}), discord.New(loud{})}
	c.slack.Add(slack.User{ID: beaInSlack, Name: "bea", Locale: "en-GB"})
	c.discord.Hosts = []string{"127.0.0.1", "localhost"}
	fmt.Printf(configuration, slack.Token, slack.AppToken, slack.Team, slack.App, beaInSlack, c.slack.URL,
		discord.Token, discord.App, discord.Guild, c.discord.URL, *listen)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", c.page)
	mux.HandleFunc("POST /do", c.do)
	server := &http.Server{Addr: *listen, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	go func() { <-ctx.Done(); _ = server.Close() }()
	if err := server.ListenAndServe(); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

const configuration = `# For hikeshi.yaml:
slack:
  bot_token: %s
  app_token: %s
  team: %s
  app: %s
  invite: [%s]
  api: %s
discord:
  bot_token: %s
  app_id: "%s"
  guild_id: "%s"
  messages: true
  api: %s
# The rooms: http://%s/
`

// do is bea typing, saying or pressing something in a room.
func (c *chats) do(w http.ResponseWriter, r *http.Request) {
	room, text, button, on := r.FormValue("room"), strings.TrimSpace(r.FormValue("text")), r.FormValue("button"), r.FormValue("on")
	line, command := strings.CutPrefix(text, "/inc ")
	said := ""
	if r.FormValue("chat") == "slack" {
		switch {
		case button != "":
			said = c.slack.Press(beaInSlack, room, on, button).Body
		case command:
			said = c.slack.Command(beaInSlack, room, line).Body
		case text != "":
			_, _ = c.slack.Say(beaInSlack, room, text)
		}
	} else {
		said = c.inDiscord(r.Context(), room, text, button, on)
	}
	http.Redirect(w, r, "/?said="+template.URLQueryEscaper(said)+"#"+room, http.StatusSeeOther)
}

// inDiscord returns what bea alone is told.
func (c *chats) inDiscord(ctx context.Context, room, text, button, on string) string {
	var i *discord.Interaction
	line, command := strings.CutPrefix(text, "/inc ")
	switch {
	case button != "":
		i = c.discord.Press(bea, room, on, button)
	case command:
		i = c.discord.Command(bea, room, strings.Fields(line)[:1], nil)
	case text != "":
		c.discord.Say(bea, room, text)
	}
	if i == nil {
		return ""
	}
	c.discord.Offer(i)
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := c.discord.Await(ctx, "an answer", func() bool { return c.discord.First(i) != nil }); err != nil {
		return err.Error()
	}
	return shown(c.discord.First(i)["data"])
}
