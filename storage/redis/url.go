package redis

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// target is what --store said.
type target struct {
	redis.UniversalOptions
	prefix   string
	replicas int // that must confirm a write
	open     bool
}

// DefaultPrefix begins every key and the channel of signals.
const DefaultPrefix = "hikeshi:"

// Client-side limits. An attempt ends before the whole operation does, so that
// there is time for a second one.
const (
	opTimeout      = 2 * time.Second
	attemptTimeout = 900 * time.Millisecond
	poolSize       = 48
)

func refuse(message, hint string) error {
	return incidents.Fail(incidents.Invalid, "error.store_url", message, "problem", message).WithHint(hint)
}

const urlForms = "redis://[user:password@]host[:port][/db], rediss:// for TLS, redis+sentinel://host,host/master[/db], redis+cluster://host,host"

// ValidateURL says what is wrong with the URL of a store.
func ValidateURL(raw string) error {
	_, err := parseURL(raw)
	return err
}

// parseURL reads
//
//	redis://user:password@host:6379/0          one server (rediss: with TLS)
//	redis://…@host1:6379,host2:6379            a Cluster
//	redis+cluster://…@host:6379                a Cluster known by one address
//	redis+sentinel://…@host1:26379,host2/master/0
//
// with the options prefix=, wait_replicas=, sentinel_username=,
// sentinel_password= and allow_no_password=true.
func parseURL(raw string) (*target, error) {
	scheme, rest, ok := strings.Cut(raw, "://")
	base, kind, _ := strings.Cut(scheme, "+")
	if !ok || base != "redis" && base != "rediss" || kind != "" && kind != "sentinel" && kind != "cluster" {
		return nil, refuse(fmt.Sprintf("a store of the form %q is not known", scheme), urlForms)
	}
	rest, query, _ := strings.Cut(rest, "?")
	hosts, path, _ := strings.Cut(rest, "/")
	t := &target{prefix: DefaultPrefix}
	t.defaults()
	if at := strings.LastIndex(hosts, "@"); at >= 0 {
		if err := t.user(hosts[:at]); err != nil {
			return nil, err
		}
		hosts = hosts[at+1:]
	}
	if err := t.hosts(hosts, kind); err != nil {
		return nil, err
	}
	if err := t.path(path, kind); err != nil {
		return nil, err
	}
	if err := t.options(query); err != nil {
		return nil, err
	}
	t.IsClusterMode = kind == "cluster"
	if base == "rediss" {
		t.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		if kind != "sentinel" && len(t.Addrs) == 1 {
			t.TLSConfig.ServerName, _, _ = net.SplitHostPort(t.Addrs[0])
		}
	}
	return t, t.safe()
}

func (t *target) defaults() {
	t.MaxRetries = -1
	t.DialerRetries = 1
	t.DialTimeout, t.ReadTimeout, t.WriteTimeout = attemptTimeout, attemptTimeout, attemptTimeout
	t.PoolTimeout = attemptTimeout
	t.ContextTimeoutEnabled = true
	t.PoolSize, t.PipelinePoolSize = poolSize, -1
	t.ClientName, t.DisableIdentity = "hikeshi", true
	t.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}

func (t *target) user(info string) error {
	name, password, _ := strings.Cut(info, ":")
	var err error
	if t.Username, err = url.PathUnescape(name); err == nil {
		t.Password, err = url.PathUnescape(password)
	}
	if err != nil { // the error would repeat the password
		return refuse("the user or password in the store's URL is not escaped as in URLs", "write / as %2F, @ as %40, % as %25")
	}
	return nil
}

func (t *target) hosts(list, kind string) error {
	port := "6379"
	if kind == "sentinel" {
		port = "26379"
	}
	for h := range strings.SplitSeq(list, ",") {
		if _, _, err := net.SplitHostPort(h); err != nil {
			h = net.JoinHostPort(strings.Trim(h, "[]"), port)
		}
		host, p, err := net.SplitHostPort(h)
		if n, bad := strconv.ParseUint(p, 10, 16); err != nil || bad != nil || n == 0 || host == "" {
			return refuse("the store's URL has no usable host:port", urlForms)
		}
		t.Addrs = append(t.Addrs, h)
	}
	return nil
}

func (t *target) path(path, kind string) error {
	db := path
	if kind == "sentinel" {
		t.MasterName, db, _ = strings.Cut(path, "/")
		if t.MasterName == "" {
			return refuse("the store's URL names no Sentinel master", urlForms)
		}
	}
	if db == "" {
		return nil
	}
	n, err := strconv.Atoi(db)
	if err != nil || n < 0 {
		return refuse(fmt.Sprintf("%q is not the number of a database", db), urlForms)
	}
	t.DB = n
	return nil
}

func (t *target) options(query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return refuse("the options of the store's URL cannot be read", "?prefix=hikeshi:&wait_replicas=1")
	}
	for name, v := range values {
		last := v[len(v)-1]
		switch name {
		case "prefix":
			if t.prefix = last; strings.ContainsAny(last, "{}*?[] \t\r\n") || last == "" || len(last) > 64 {
				return refuse("the prefix of the store's keys may not be empty, longer than 64 bytes or hold {}*?[] or blanks", "?prefix=hikeshi:")
			}
		case "wait_replicas":
			if t.replicas, err = strconv.Atoi(last); err != nil || t.replicas < 0 || t.replicas > 16 {
				return refuse(fmt.Sprintf("wait_replicas=%q is not a number from 0 to 16", last), "?wait_replicas=1")
			}
		case "sentinel_username":
			t.SentinelUsername = last
		case "sentinel_password":
			t.SentinelPassword = last
		case "allow_no_password":
			t.open = last == "true"
		default:
			return refuse(fmt.Sprintf("the store's URL has an unknown option %q", name), "known are prefix, wait_replicas, sentinel_username, sentinel_password, allow_no_password")
		}
	}
	return nil
}

// safe refuses what must not be: a Redis that anybody on the network can write
// to decides what Hikeshi runs.
func (t *target) safe() error {
	if t.replicas > 0 && (t.IsClusterMode || t.MasterName == "" && len(t.Addrs) > 1) {
		return refuse("wait_replicas is not supported with a Cluster", "set min-replicas-to-write on its nodes instead")
	}
	if t.Password != "" || t.open || !slices.ContainsFunc(t.Addrs, func(a string) bool { return !loopback(a) }) {
		return nil
	}
	return incidents.Fail(incidents.Invalid, "error.store_no_password", "the Redis at "+strings.Join(t.Addrs, ", ")+" is not on this machine and has no password",
		"hosts", strings.Join(t.Addrs, ", ")).WithHint("give it a password (redis://user:password@host), or accept the risk with ?allow_no_password=true")
}

func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
