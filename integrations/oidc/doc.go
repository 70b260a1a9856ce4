// Package oidc signs people in to the console by an OpenID Connect provider:
// the authorization code flow with PKCE, state and nonce
// (https://openid.net/specs/openid-connect-core-1_0.html, RFC 7636, RFC 9207,
// RFC 9700).
//
// It promises that Finish names somebody only where the issuer of the
// configuration says so, to this client, for this attempt, and says when they
// last showed the issuer who they are. Whoever that is may do nothing by that
// alone: the configuration knows people by issuer and subject.
//
// Start with Provider.
package oidc
