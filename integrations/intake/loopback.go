package intake

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Without a configured source only programs on this machine may send. A
// loopback address alone does not prove that: a reverse proxy forwards
// strangers from it, and a web page in a browser can post to it, under
// another name by DNS rebinding. So those are told apart too.
var forwarded = []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via"}

// local says whether a program on this machine sent r from there, directly; otherwise why
// not, in words that help.
func local(r *http.Request, from netip.Addr) (ok bool, hint string) {
	switch {
	case !from.IsLoopback():
		return false, hintConfigure
	case !localHost(r.Host):
		return false, "post to localhost or 127.0.0.1 by that name, or configure a source with a token"
	case r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "":
		return false, "a web page may not send alerts; use a program such as curl"
	}
	for _, name := range forwarded {
		if r.Header.Get(name) != "" {
			return false, "a proxy forwards this: configure a source with a token"
		}
	}
	return true, ""
}

// ThisMachine says whether a program on this machine, or a page in a browser on
// it that went to this machine's own name, sent r directly.
func ThisMachine(r *http.Request) bool {
	if !peer(r).IsLoopback() || !localHost(r.Host) {
		return false
	}
	return !slices.ContainsFunc(forwarded, func(name string) bool { return r.Header.Get(name) != "" })
}

// peer is the address at the other end of the connection; headers that claim
// another are not believed.
func peer(r *http.Request) netip.Addr {
	if ap, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return ap.Addr().Unmap()
	}
	return netip.Addr{}
}

func localHost(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}
