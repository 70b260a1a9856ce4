package steps

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/hikeshi-ops/hikeshi/incidents"
)

// A gate decides whom http and promql steps talk to. A request passes twice: by
// the scheme, host and port of its URL, and, when the name has been resolved, by
// the address that is dialled, since names can be made to mean anything.
type gate struct {
	always  []string        // scheme://host:port from the configuration
	allowed func() []string // from the runbooks; nil where the configuration decides
	named   []string        // the hosts of always: the operator meant them, so they may have private addresses
	nets    []netip.Prefix  // exceptions to the addresses that are refused
	here    bool            // this machine may have any name

	resolver *net.Resolver // nil: the system's
}

func (g *gate) url(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, Bad(errors.New("its URL cannot be read"))
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return nil, Bad(errors.New("its URL is not an http or https URL without a user"))
	}
	o := Origin(u)
	if slices.Contains(g.always, o) || g.allowed != nil && slices.Contains(g.allowed(), o) {
		return u, nil
	}
	return nil, incidents.Fail(incidents.Forbidden, "runbook.host_refused", o+" is not among the hosts that may be called", "host", o)
}

const dialTimeout = 10 * time.Second

// never are addresses at which clouds hand out credentials and which are not
// link-local (Alibaba Cloud, Oracle Cloud, Azure; AWS over IPv6), and ranges
// that nobody's server is in.
var never = []netip.Prefix{
	netip.MustParsePrefix("100.100.100.200/32"), netip.MustParsePrefix("192.0.0.192/32"), netip.MustParsePrefix("168.63.129.16/32"),
	netip.MustParsePrefix("fd00:ec2::254/128"), netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("240.0.0.0/4"),
}

// carrier are addresses behind a carrier's NAT, as private as those of RFC 1918
// (RFC 6598).
var carrier = netip.MustParsePrefix("100.64.0.0/10")

// address says whether addr may be dialled for the host of a URL. It is asked
// when the name has been resolved, of the very address that is dialled.
func (g *gate) address(host string, addr netip.Addr) error {
	addr = innermost(addr)
	if slices.ContainsFunc(g.nets, func(p netip.Prefix) bool { return p.Contains(addr) }) {
		return nil
	}
	refuse := func(phrase, why string) error {
		return incidents.Fail(incidents.Forbidden, phrase, fmt.Sprintf("%s leads to %s, %s", host, addr, why), "host", host, "address", addr.String())
	}
	switch {
	case addr.IsLinkLocalUnicast(), addr.IsMulticast(), addr.IsUnspecified(),
		slices.ContainsFunc(never, func(p netip.Prefix) bool { return p.Contains(addr) }):
		return refuse("runbook.address_refused", "which is never called")
	case addr.IsLoopback() && !g.here && !namesLoopback(host):
		return refuse("runbook.address_here", "which is this machine")
	case (addr.IsPrivate() || carrier.Contains(addr)) && !g.here && !namesAddress(host) && !slices.Contains(g.named, plainHost(host)):
		return refuse("runbook.address_private", "which is private and was not allowed")
	}
	return nil
}

// Prefixes of IPv6 addresses that stand for an IPv4 address: NAT64 (RFC 6052)
// and 6to4 (RFC 3056).
var (
	nat64  = netip.MustParsePrefix("64:ff9b::/96")
	sixTo4 = netip.MustParsePrefix("2002::/16")
)

// innermost is the IPv4 address that an IPv6 address stands for, or addr.
func innermost(addr netip.Addr) netip.Addr {
	if addr = addr.Unmap().WithZone(""); !addr.Is6() {
		return addr
	}
	b := addr.As16()
	switch {
	case nat64.Contains(addr):
		return netip.AddrFrom4([4]byte(b[12:16]))
	case sixTo4.Contains(addr):
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return addr
}

// namesAddress: a URL that says an address means that address.
func namesAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

func plainHost(host string) string { return strings.TrimSuffix(strings.ToLower(host), ".") }

// namesLoopback: a URL that means this machine says so.
func namesLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// client is an HTTP client without proxies, redirects, compression and reuse of
// connections that looks at each address before it connects.
func (g *gate) client() *http.Client {
	dial := func(ctx context.Context, network, hostPort string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(hostPort)
		if err != nil {
			return nil, fmt.Errorf("dial %q: %w", hostPort, err)
		}
		d := net.Dialer{Timeout: dialTimeout, Resolver: g.resolver, Control: func(_, address string, _ syscall.RawConn) error {
			resolved, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("dial %q: %w", address, err)
			}
			return g.address(host, resolved.Addr())
		}}
		return d.DialContext(ctx, network, hostPort)
	}
	return &http.Client{
		Transport: &http.Transport{
			Proxy: nil, DialContext: dial, DisableKeepAlives: true, DisableCompression: true,
			MaxResponseHeaderBytes: 64 << 10, TLSHandshakeTimeout: 10 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Origin is scheme://host:port in one form.
func Origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	host := plainHost(u.Hostname())
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return fmt.Sprintf("%s://%s:%s", u.Scheme, host, port)
}
