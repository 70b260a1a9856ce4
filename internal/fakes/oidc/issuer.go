// Package oidc is a strict OpenID Connect issuer for tests, which can be told to
// lie. It signs by itself, with the standard library only, so that it and what it
// tests share no mistakes.
//
// It promises to refuse whatever a strict issuer refuses: another redirect
// address, a code used twice, a wrong PKCE verifier, a wrong client.
//
// Start with New.
package oidc

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// Lie is what the issuer does wrong.
type Lie string

// The lies.
const (
	WrongNonce    Lie = "a token of another attempt"
	NoNonce       Lie = "a token of no attempt"
	WrongAudience Lie = "a token for another client"
	TwoAudiences  Lie = "a token for another client too"
	WrongParty    Lie = "a token that another client asked for"
	WrongIssuer   Lie = "a token of another issuer"
	Expired       Lie = "an expired token"
	FromTomorrow  Lie = "a token from tomorrow"
	ProvedLater   Lie = "a sign-in in the future"
	AlgNone       Lie = "alg none"
	AlgHMAC       Lie = "HS256 with the client's secret"
	AlgHMACKey    Lie = "HS256 with the public key"
	OtherKey      Lie = "another key under the same name"
	Tampered      Lie = "claims that were changed after signing"
	NoSubject     Lie = "a token about nobody"
	NoToken       Lie = "no id_token"
	OtherIss      Lie = "an answer in another issuer's name"
	Redirects     Lie = "a token endpoint that sends one elsewhere"
)

// Issuer is the server. Its fields may be set before it is used.
type Issuer struct {
	URL, ClientID, Secret, Redirect string

	Subject  string
	AuthTime time.Time // when the person showed who they are; zero: it does not say
	Lie      Lie
	Now      func() time.Time

	Asked []url.Values // what came to the authorization endpoint

	mu     sync.Mutex
	key    *rsa.PrivateKey
	other  *rsa.PrivateKey
	codes  map[string]url.Values
	server *httptest.Server
}

// New starts an issuer; end it with Close.
func New(clientID, secret, redirect string) (*Issuer, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	i := &Issuer{ClientID: clientID, Secret: secret, Redirect: redirect, Subject: "248", Now: time.Now, key: key, other: other, codes: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", i.discovery)
	mux.HandleFunc("GET /keys", i.keys)
	mux.HandleFunc("GET /authorize", i.authorize)
	mux.HandleFunc("POST /token", i.token)
	i.server = httptest.NewServer(mux)
	i.URL = i.server.URL
	return i, nil
}

// Close stops it.
func (i *Issuer) Close() { i.server.Close() }

func (i *Issuer) discovery(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{
		"issuer": i.URL, "authorization_endpoint": i.URL + "/authorize", "token_endpoint": i.URL + "/token", "jwks_uri": i.URL + "/keys",
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported":          []string{"RS256", "HS256", "none"}, // as careless ones say
		"authorization_response_iss_parameter_supported": true,
	})
}

func (i *Issuer) keys(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{"keys": []map[string]string{{
		"kty": "RSA", "kid": "k1", "use": "sig", "alg": "RS256",
		"n": b64(i.key.N.Bytes()), "e": b64(big.NewInt(int64(i.key.E)).Bytes()),
	}}})
}

// authorize lets the one person in who there is, and sends them back.
func (i *Issuer) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	i.mu.Lock()
	defer i.mu.Unlock()
	i.Asked = append(i.Asked, q)
	if q.Get("client_id") != i.ClientID || q.Get("redirect_uri") != i.Redirect || q.Get("response_type") != "code" ||
		q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || q.Get("state") == "" || q.Get("nonce") == "" {
		http.Error(w, "this client may not ask that", http.StatusBadRequest)
		return
	}
	code := rand.Text()
	i.codes[code] = q
	back := url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {i.URL}}
	if i.Lie == OtherIss {
		back.Set("iss", "https://other.example.com")
	}
	http.Redirect(w, r, i.Redirect+"?"+back.Encode(), http.StatusFound)
}

func (i *Issuer) token(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	id, secret, ok := r.BasicAuth()
	if !ok {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	code := r.PostFormValue("code")
	asked := i.codes[code]
	delete(i.codes, code) // once
	challenge := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	switch {
	case id != i.ClientID || secret != i.Secret:
		answer(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
	case asked == nil || r.PostFormValue("redirect_uri") != i.Redirect || b64(challenge[:]) != asked.Get("code_challenge"):
		answer(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
	case i.Lie == Redirects:
		http.Redirect(w, r, "https://elsewhere.invalid/token", http.StatusTemporaryRedirect)
	default:
		given := map[string]any{"access_token": rand.Text(), "token_type": "Bearer", "expires_in": 300}
		if i.Lie != NoToken {
			given["id_token"] = i.sign(asked.Get("nonce"))
		}
		answer(w, http.StatusOK, given)
	}
}

// sign makes the id_token, with the lie in it.
func (i *Issuer) sign(nonce string) string {
	now := i.Now()
	claims := map[string]any{"iss": i.URL, "aud": i.ClientID, "sub": i.Subject, "nonce": nonce, "name": "Bea", "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix()}
	if !i.AuthTime.IsZero() {
		claims["auth_time"] = i.AuthTime.Unix()
	}
	for name, value := range map[Lie]map[string]any{
		WrongNonce: {"nonce": "another"}, NoNonce: {"nonce": ""}, WrongAudience: {"aud": "another"}, TwoAudiences: {"aud": []string{i.ClientID, "another"}},
		WrongParty: {"azp": "another"}, WrongIssuer: {"iss": "https://other.example.com"}, Expired: {"exp": now.Add(-time.Minute).Unix()},
		FromTomorrow: {"iat": now.Add(24 * time.Hour).Unix()}, ProvedLater: {"auth_time": now.Add(time.Hour).Unix()}, NoSubject: {"sub": ""},
	}[i.Lie] {
		claims[name] = value
	}
	header := map[string]string{"alg": "RS256", "kid": "k1", "typ": "JWT"}
	switch i.Lie {
	case AlgNone:
		header["alg"] = "none"
	case AlgHMAC, AlgHMACKey:
		header["alg"] = "HS256"
	}
	body := part(header) + "." + part(claims)
	signature := i.signature(body)
	if i.Lie == Tampered {
		claims["sub"] = "1"
		body = part(header) + "." + part(claims)
	}
	return body + "." + b64(signature)
}

func (i *Issuer) signature(body string) []byte {
	key, sum := i.key, sha256.Sum256([]byte(body))
	switch i.Lie {
	case AlgNone:
		return nil
	case AlgHMAC, AlgHMACKey:
		secret := []byte(i.Secret)
		if i.Lie == AlgHMACKey {
			secret = i.key.N.Bytes()
		}
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(body))
		return mac.Sum(nil)
	case OtherKey:
		key = i.other
	}
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		panic("sign a token: " + strconv.Quote(err.Error()))
	}
	return signature
}

func part(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("encode a token: " + err.Error())
	}
	return b64(b)
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client is gone: nobody to tell
}
