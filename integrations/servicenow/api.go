package servicenow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/hikeshi-ops/hikeshi/bot"
	"github.com/hikeshi-ops/hikeshi/incidents"
	"github.com/hikeshi-ops/hikeshi/integrations/limit"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker"
	"github.com/hikeshi-ops/hikeshi/integrations/tracker/remote"
)

// api is the Table API, of one table.
// https://www.servicenow.com/docs/bundle/yokohama-api-reference/page/integrate/inbound-rest/concept/c_TableAPI.html
type api struct {
	config remote.Config
	client *remote.Client
	markup remote.Markup

	mu    sync.Mutex
	self  *user
	users map[string]user // by user_name
}

var _ remote.API = (*api)(nil)

// pair is a field as it is kept and as people see it.
type pair struct {
	Value   string `json:"value"`
	Display string `json:"display_value"`
}

// record is an incident, with sysparm_display_value=all.
type record struct {
	SysID       pair `json:"sys_id"`
	Number      pair `json:"number"`
	Short       pair `json:"short_description"`
	Description pair `json:"description"`
	State       pair `json:"state"`
	Impact      pair `json:"impact"`
	Urgency     pair `json:"urgency"`
	AssignedTo  pair `json:"assigned_to"`
	Correlation pair `json:"correlation_id"`
	Whose       pair `json:"correlation_display"`
	CreatedBy   pair `json:"sys_created_by"`
	Updated     pair `json:"sys_updated_on"`
	Changes     pair `json:"sys_mod_count"`
}

const recordFields = "sys_id,number,short_description,description,state,impact,urgency,assigned_to,correlation_id,correlation_display,sys_created_by,sys_updated_on,sys_mod_count"

// updated is when the record last changed. The clock there has seconds only, so
// the count of changes is in it too: two changes within a second are two.
func (r *record) updated() time.Time {
	return stamp(r.Updated.Value).Add(time.Duration(number(r.Changes.Value)) * time.Nanosecond)
}

// user is a row of sys_user.
type user struct {
	SysID    string `json:"sys_id"`
	UserName string `json:"user_name"`
	Name     string `json:"name"`
}

func (u user) account() remote.Account { return remote.Account{ID: u.SysID, Name: u.Name} }

var (
	recordKey = regexp.MustCompile(`^[A-Z]{2,8}[0-9]{4,12}$`)
	sysID     = regexp.MustCompile(`^[0-9a-f]{32}$`)
)

// esc keeps a value from being the end of a condition in an encoded query.
func esc(value string) string { return strings.ReplaceAll(value, "^", "^^") }

func stamp(s string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04:05", s, time.UTC) // what is kept is in UTC, what is shown in the account's zone
	if err != nil {
		return time.Time{}
	}
	return t
}

// rows asks for rows of a table.
func (a *api) rows(ctx context.Context, table, query, fields string, offset, most int, display string, lane limit.Lane, out any) error {
	q := url.Values{
		"sysparm_query": {query}, "sysparm_fields": {fields}, "sysparm_offset": {fmt.Sprint(offset)}, "sysparm_limit": {fmt.Sprint(most)},
		"sysparm_display_value": {display}, "sysparm_exclude_reference_link": {"true"},
	}
	var got struct {
		Result json.RawMessage `json:"result"`
	}
	err := a.client.Do(ctx, remote.Ask{Method: http.MethodGet, Path: "table/" + table, Query: q, Lane: lane}, &got)
	if err == nil && (len(got.Result) == 0 || json.Unmarshal(got.Result, out) != nil) {
		err = a.client.NotThem("it does not answer with rows")
	}
	return err
}

func (a *api) records(ctx context.Context, query string, offset, most int, lane limit.Lane) ([]record, error) {
	var found []record
	err := a.rows(ctx, a.config.Project, query, recordFields, offset, most, "all", lane, &found)
	return found, err
}

// Me is the account that the token belongs to, asked for once.
func (a *api) Me(ctx context.Context) (remote.Account, error) {
	me, err := a.me(ctx)
	return me.account(), err
}

func (a *api) me(ctx context.Context) (user, error) {
	a.mu.Lock()
	self := a.self
	a.mu.Unlock()
	if self != nil {
		return *self, nil
	}
	var found []user
	if err := a.rows(ctx, "sys_user", "sys_id=javascript:gs.getUserID()", "sys_id,user_name,name", 0, 1, "false", limit.Normal, &found); err != nil {
		return user{}, err
	}
	if len(found) != 1 || !sysID.MatchString(found[0].SysID) || found[0].UserName == "" {
		return user{}, a.client.NotThem("it does not say who asks")
	}
	a.mu.Lock()
	a.self = &found[0]
	a.mu.Unlock()
	return found[0], nil
}

// record reads one by its number.
func (a *api) record(ctx context.Context, key string, lane limit.Lane) (*record, error) {
	if !recordKey.MatchString(key) {
		return nil, a.missing(key)
	}
	found, err := a.records(ctx, "number="+esc(key), 0, 1, lane)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, a.missing(key)
	}
	if r := &found[0]; r.Number.Value == key && sysID.MatchString(r.SysID.Value) {
		return r, nil
	}
	return nil, a.client.NotThem("it does not say which record it is")
}

func (a *api) missing(key string) error {
	return a.client.Fail(incidents.NotFound, "error.tracker_not_found", "there is no such record", "what", bot.Line(key, 60))
}

// write sends fields of one record, or of a new one, and reads it back.
func (a *api) write(ctx context.Context, method, path string, body map[string]string, lane limit.Lane) (*record, error) {
	q := url.Values{"sysparm_fields": {recordFields}, "sysparm_display_value": {"all"}, "sysparm_exclude_reference_link": {"true"}}
	var got struct {
		Result record `json:"result"`
	}
	err := a.client.Do(ctx, remote.Ask{Method: method, Path: path, Query: q, JSON: body, Lane: lane}, &got)
	if r, refused := errors.AsType[*remote.Refusal](err); refused && strings.Contains(r.Said, "Data Policy") { // said with 403, and no matter of rights
		return nil, fmt.Errorf("%w: %w", a.client.Fail(incidents.Invalid, "error.tracker_refused", r.Error(), "why", r.Said), r)
	}
	if err == nil && (!recordKey.MatchString(got.Result.Number.Value) || !sysID.MatchString(got.Result.SysID.Value)) {
		err = a.client.NotThem("it does not say which record it wrote")
	}
	return &got.Result, err
}

func (a *api) edit(ctx context.Context, now *record, body map[string]string) error {
	wrote, err := a.write(ctx, http.MethodPatch, "table/"+a.config.Project+"/"+now.SysID.Value, body, limit.Normal)
	if err == nil {
		*now = *wrote
	}
	return err
}

func (a *api) page(key string) string {
	return a.config.URL + "/" + a.config.Project + ".do?sysparm_query=number=" + key
}

func (a *api) ref(r *record) tracker.Ref {
	return tracker.Ref{Key: r.Number.Value, URL: a.page(r.Number.Value), Status: bot.Line(a.word(r), 60)}
}

// said is what ServiceNow says in a refusal.
func said(body []byte) string {
	var e struct {
		Error struct {
			Message string `json:"message"`
			Detail  string `json:"detail"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &e) != nil {
		return ""
	}
	return strings.TrimSpace(e.Error.Message + " " + e.Error.Detail)
}

// wait is how long a 429 asks to wait.
// https://www.servicenow.com/docs/bundle/yokohama-api-reference/page/integrate/inbound-rest/concept/inbound-REST-API-rate-limiting.html
func wait(h http.Header, now time.Time) time.Duration {
	if h.Get("Retry-After") == "" {
		if d := remote.Until(now, h.Get("X-RateLimit-Reset")); d > 0 {
			return d
		}
	}
	return limit.RetryAfter(now, h.Get("Retry-After"))
}
