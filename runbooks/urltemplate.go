package runbooks

import (
	"net/url"
	"regexp"
	"strings"
)

// A urlTemplate is an http or https URL. Scheme, host and port are the author's
// or the operator's; parameters fill parts of the path's segments and of the
// query, percent-encoded so that they cannot become more than that.
type urlTemplate struct{ template }

// originForm is the part of a URL that decides whom we talk to. Userinfo is not
// part of it: credentials do not belong into a runbook.
var originForm = regexp.MustCompile(`\Ahttps?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:[/?]|\z)`)

// varOrigin is a URL that begins with a variable whose value is not known.
var varOrigin = regexp.MustCompile(`\A\{var\.[a-z0-9_]+\}(?:[/?]|\z)`)

func parseURLTemplate(s string, v *vars) (urlTemplate, *templateError) {
	t, bad := parseTemplate(s, v)
	if bad != nil {
		return urlTemplate{}, bad
	}
	var origin strings.Builder // the text before the first parameter
	for _, p := range t {
		if p.param != "" {
			break
		}
		origin.WriteString(p.text)
	}
	if v.any && varOrigin.MatchString(origin.String()) {
		return urlTemplate{t}, nil
	}
	// What the form matched ends the host, or a parameter could go on with it.
	whole := originForm.FindString(origin.String())
	if whole == "" || len(t.params()) > 0 && !strings.HasSuffix(whole, "/") && !strings.HasSuffix(whole, "?") {
		return urlTemplate{}, &templateError{"runbook.lint.url_origin", []string{"url", s}}
	}
	u := urlTemplate{t}
	if !callable(u.fill(nil, percentEncode)) {
		return urlTemplate{}, &templateError{"runbook.lint.bad_url", []string{"url", s}}
	}
	return u, nil
}

// fillURL is the finished URL. It is refused where a value would change the path
// for some server: "." and ".." as a segment, nothing at all, and slashes, which
// many decode before they look.
func (u urlTemplate) fillURL(values map[string]string) (string, bool) {
	for _, p := range u.template {
		if strings.Contains(p.text, "?") {
			break
		}
		if p.param != "" && (values[p.param] == "" || strings.ContainsAny(values[p.param], `/\`)) {
			return "", false
		}
	}
	s := u.fill(values, percentEncode)
	return s, callable(s)
}

// callable says whether s is a URL without a user and a fragment, whose path
// stays where it is.
func callable(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || strings.Contains(s, "#") {
		return false
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		if segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

// percentEncode leaves only the unreserved characters of RFC 3986, section 2.3
// (https://www.rfc-editor.org/rfc/rfc3986#section-2.3), so that the result is
// the same thing in a path and in a query.
func percentEncode(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}
