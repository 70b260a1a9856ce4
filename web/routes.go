package web

import (
	"net/http"
	"strings"

	"github.com/hikeshi-ops/hikeshi/bot"
)

// route is a row of the policy table.
type route struct {
	pattern string    // as net/http's mux reads it
	right   bot.Right // what it takes; "": whoever can reach the listener
	form    form      // how it answers
	serve   func(*Server, http.ResponseWriter, *http.Request, *visit) error
	stream  bool // stays open: no deadline, and same-origin only
}

func (rt route) changes() bool { return strings.HasPrefix(rt.pattern, http.MethodPost+" ") }

// streamRight is apart because an open stream asks for it again and again.
const streamRight = bot.View

// routes is every address there is, and who may use it. Nothing else is ever
// registered; a test holds the mux to this table, and every row to its right.
var routes = []route{
	// For anybody.
	{pattern: "GET /healthz", form: formAPI, serve: (*Server).healthz},
	{pattern: "GET /readyz", form: formAPI, serve: (*Server).readyz},
	{pattern: "GET /static/{name}", form: formPage, serve: (*Server).static},
	{pattern: "GET /login", form: formPage, serve: (*Server).loginPage},
	{pattern: "POST /login", form: formPage, serve: (*Server).login},
	{pattern: "GET /login/oidc", form: formPage, serve: (*Server).goSignIn},
	{pattern: "GET /login/callback", form: formPage, serve: (*Server).endSignIn},
	{pattern: "POST /logout", form: formPage, serve: (*Server).logout},
	{pattern: "POST /language", form: formPage, serve: (*Server).language},

	// For people, in a browser.
	{pattern: "POST /me", right: bot.View, form: formPage, serve: (*Server).rename},
	{pattern: "GET /{$}", right: bot.View, form: formPage, serve: (*Server).listPage},
	{pattern: "POST /commands", right: bot.View, form: formPage, serve: (*Server).commandForm},
	{pattern: "GET /incidents/{id}", right: bot.View, form: formPage, serve: (*Server).roomPage},
	{pattern: "GET /incidents/{id}/timeline", right: bot.View, form: formPage, serve: (*Server).timelinePage},
	{pattern: "GET /incidents/{id}/runbooks/{runbook}", right: bot.View, form: formPage, serve: (*Server).runbookPage},
	{pattern: "GET /incidents/{id}/outputs", right: bot.Output, form: formPage, serve: (*Server).outputsPage},
	{pattern: "GET /incidents/{id}/postmortem", right: bot.View, form: formPage, serve: (*Server).postmortemPage},
	{pattern: "GET /incidents/{id}/charts/{file}", right: bot.View, form: formPage, serve: (*Server).chart},
	{pattern: "POST /incidents/{id}/say", right: bot.View, form: formPage, serve: (*Server).sayForm},
	{pattern: "POST /incidents/{id}/press", right: bot.View, form: formPage, serve: (*Server).pressForm},
	{pattern: "GET /learning", right: bot.View, form: formPage, serve: (*Server).learningPage},
	{pattern: "GET /dead-letters", right: bot.Administer, form: formPage, serve: (*Server).deadLettersPage},
	{pattern: "POST /dead-letters/redrive", right: bot.Administer, form: formPage, serve: (*Server).redriveForm},

	// For programs. What a command needs beyond View is the router's to ask.
	{pattern: "GET /api/v1/alerts", right: bot.View, form: formAPI, serve: (*Server).apiAlerts},
	{pattern: "GET /api/v1/incidents", right: bot.View, form: formAPI, serve: (*Server).apiList},
	{pattern: "GET /api/v1/incidents/{id}", right: bot.View, form: formAPI, serve: (*Server).apiIncident},
	{pattern: "GET /api/v1/incidents/{id}/timeline", right: bot.View, form: formAPI, serve: (*Server).apiTimeline},
	{pattern: "GET /api/v1/incidents/{id}/postmortem", right: bot.View, form: formAPI, serve: (*Server).apiPostmortem},
	{pattern: "GET /api/v1/incidents/{id}/outputs", right: bot.Output, form: formAPI, serve: (*Server).apiOutputs},
	{pattern: "GET /api/v1/incidents/{id}/outputs/{run}/{step}", right: bot.Output, form: formAPI, serve: (*Server).apiOutput},
	{pattern: "GET /api/v1/incidents/{id}/messages", right: bot.View, form: formAPI, serve: (*Server).apiMessages},
	{pattern: "POST /api/v1/incidents/{id}/messages", right: bot.Respond, form: formAPI, serve: (*Server).apiSay},
	{pattern: "POST /api/v1/incidents/{id}/commands", right: bot.View, form: formAPI, serve: (*Server).apiRoomCommand},
	{pattern: "POST /api/v1/incidents/{id}/buttons", right: bot.View, form: formAPI, serve: (*Server).apiButton},
	{pattern: "POST /api/v1/commands", right: bot.View, form: formAPI, serve: (*Server).apiCommand},
	{pattern: "GET /api/v1/events", right: streamRight, form: formAPI, serve: (*Server).events, stream: true},
	{pattern: "GET /api/v1/learning", right: bot.View, form: formAPI, serve: (*Server).apiLearning},
	{pattern: "GET /api/v1/dead-letters", right: bot.Administer, form: formAPI, serve: (*Server).apiDeadLetters},
	{pattern: "POST /api/v1/dead-letters/redrive", right: bot.Administer, form: formAPI, serve: (*Server).apiRedrive},
}

// Address is a row of the policy table, for whoever wants to hold it to something.
type Address struct {
	Pattern string
	Right   bot.Right // "": whoever can reach the listener
}

// Addresses are all there are.
func Addresses() []Address {
	all := make([]Address, 0, len(routes))
	for _, rt := range routes {
		all = append(all, Address{rt.pattern, rt.right})
	}
	return all
}

// formOf is how an address that has no route answers.
func formOf(r *http.Request) form {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		return formAPI
	}
	return formPage
}
