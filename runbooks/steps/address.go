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

// metadata are addresses at which clouds hand out credentials and which are not
// link-local (Alibaba Cloud; AWS over IPv6).
var metadata = []netip.Addr{netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("fd00:ec2::254")}

// address says whether addr may be dialled for the host of a URL.
func (g *gate) address(host string, addr netip.Addr) error {
	addr = addr.Unmap()
	if slices.ContainsFunc(g.nets, func(p netip.Prefix) bool { return p.Contains(addr) }) {
		return nil
	}
	switch {
	case addr.IsLinkLocalUnicast(), addr.IsLinkLocalMulticast(), addr.IsMulticast(), addr.IsUnspecified(),
		addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}), slices.Contains(metadata, addr):
		return incidents.Fail(incidents.Forbidden, "runbook.address_refused",
			fmt.Sprintf("%s leads to %s, which is never called", host, addr), "host", host, "address", addr.String())
	case addr.IsLoopback() && !g.here && !namesLoopback(host):
		return incidents.Fail(incidents.Forbidden, "runbook.address_here",
			fmt.Sprintf("%s leads to this machine (%s)", host, addr), "host", host, "address", addr.String())
	}
	return nil
}

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
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return fmt.Sprintf("%s://%s:%s", u.Scheme, host, port)
}
