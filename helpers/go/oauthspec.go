// Package oauthspec gives each test a mock authorization server of its own.
//
// Copy this file into a directory of its own in your module: it is a package. It needs the program oauthspec in PATH or in the environment
// variable OAUTHSPEC_BIN, and the standard library only.
//
//	func TestLogin(t *testing.T) {
//		realm := oauthspec.New(t, nil)
//		client := realm.Client("web")
//		app := NewApp(realm.Issuer, client.ID, client.Secret)
//		...
//	}
//
//	func TestRefusesUnsignedTokens(t *testing.T) {
//		realm := oauthspec.New(t, oauthspec.Spec{"faults": []string{"openid-alg-none"}})
//		...
//	}
//
// The tests of a package share one server, or one for each kind of [Options] that is asked for; each has a realm of its own, which is
// gone when the test is over. What was expected with [Realm.Expect] is verified then.
package oauthspec

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Spec says how a realm is made: name, profile, variants, faults, patches, scripts, clients, users, seed, keys, clock.
type Spec map[string]any

// Match says which exchanges are meant: endpoint, method, grant, client, user, form, query, header, status, error and others.
type Match map[string]any

// Options say how the server is started. Tests that ask for the same share one. AutoLogin is about the realm alone.
type Options struct {
	// TLS makes it serve by TLS, with a certificate that is made for the occasion.
	TLS bool
	// Args are further arguments of its command line.
	Args []string
	// URL, or the variable OAUTHSPEC_URL, is where a mock runs already. Nothing is started then, and TLS and Args do not count.
	URL string
	// CA is the authority that the certificate of that mock is from (PEM).
	CA string
	// Token, or OAUTHSPEC_TOKEN, is what its control API asks for, also where the program is started.
	Token string
	// AutoLogin makes a realm that shows no login and no consent page. Who logs in is the user whom login_hint names, else the first of
	// the realm.
	AutoLogin bool
}

// Realm is an authorization server of its own: issuer, clients, users, keys, clock and journal.
type Realm struct {
	// Name is its name, and its path.
	Name string `json:"name"`
	// Issuer is the issuer identifier; metadata are where RFC 8414 and OpenID Connect Discovery look for them.
	Issuer string `json:"issuer"`
	// Control is the URL of its control API.
	Control string `json:"control"`
	// Clients are those that it was made with.
	Clients []Client `json:"clients"`
	// HTTPClient trusts the server, and asks no proxy.
	HTTPClient *http.Client `json:"-"`
	// CAFile is with TLS a file with the authority that clients have to trust (PEM). It is gone when the test is over.
	CAFile string `json:"-"`

	t      testing.TB
	server *server
	// published is Control as the server names it: it may know itself by another name than the tests do.
	published string
}

// Client is a client as it is registered.
type Client struct {
	ID           string   `json:"client_id"`
	Secret       string   `json:"client_secret"`
	RedirectURIs []string `json:"redirect_uris"`
	GrantTypes   []string `json:"grant_types"`
	Scopes       []string `json:"scopes"`
}

// Exchange is an entry of the journal.
type Exchange struct {
	// Index counts from 0 over the life of the realm.
	Index uint64 `json:"index"`
	// At is when it was answered, on the realm's clock.
	At       time.Time `json:"at"`
	Endpoint string    `json:"endpoint"`
	Client   string    `json:"client"`
	User     string    `json:"user"`
	Grant    string    `json:"grant"`
	// Auth is how the client authenticated: basic, post, none.
	Auth string `json:"auth"`
	// Cause is why it was refused.
	Cause string `json:"cause"`
	// Applied are the ids of the patches that had a say, and Rules their rules.
	Applied []string `json:"applied"`
	Rules   []Rule   `json:"rules"`
	// Notes say what a careful client would have done otherwise.
	Notes   []string `json:"notes"`
	Request struct {
		Method     string         `json:"method"`
		URL        string         `json:"url"`
		Headers    [][2]string    `json:"headers"`
		Body       string         `json:"body"`
		Parameters map[string]any `json:"parameters"`
	} `json:"request"`
	Response Response `json:"response"`
	// Original is the answer as it would have been, where it was changed on its way.
	Original *Response `json:"original"`
	// Tokens are the JSON Web Tokens in it, taken apart and not verified.
	Tokens []DecodedToken `json:"tokens"`
}

// Response is an answer of the server.
type Response struct {
	Status  int         `json:"status"`
	Headers [][2]string `json:"headers"`
	Body    string      `json:"body"`
}

// Rule is a rule of a patch that applied.
type Rule struct {
	Patch string `json:"patch"`
	// Rule is which one of the patch it is, from 1.
	Rule int    `json:"rule"`
	Does string `json:"does"`
}

// DecodedToken is a JSON Web Token of an exchange.
type DecodedToken struct {
	// Place is where it stands: "response id_token", "request assertion", "request authorization".
	Place  string         `json:"place"`
	Header map[string]any `json:"header"`
	Claims map[string]any `json:"claims"`
}

// Token is a token or code that was made.
type Token struct {
	// Value is the token as it goes over the wire.
	Value  string         `json:"token"`
	Header map[string]any `json:"header"`
	Claims map[string]any `json:"claims"`
}

// New makes a realm for a test. When the test is over, what was expected is verified, and the realm is removed.
func New(t testing.TB, spec Spec, options ...Options) *Realm {
	t.Helper()
	var chosen Options
	if len(options) > 0 {
		chosen = options[0]
	}
	if spec == nil {
		spec = Spec{}
	}
	if chosen.AutoLogin {
		spec = withAutoLogin(t, spec)
	}
	chosen.AutoLogin = false
	server := shared(t, chosen)
	realm := &Realm{t: t, server: server, HTTPClient: server.client, CAFile: server.caFile(t)}
	realm.request(http.MethodPost, server.control+"/realms", spec, realm)
	realm.published = realm.Control
	realm.Control = server.control + "/realms/" + realm.Name
	t.Cleanup(func() {
		defer realm.request(http.MethodDelete, realm.Control, nil, nil)
		realm.Verify()
	})
	return realm
}

func withAutoLogin(t testing.TB, spec Spec) Spec {
	t.Helper()
	patches := Spec{"auto-login": Spec{"patch": []Spec{{"set": Spec{"pages.login": false, "pages.consent": "never"}}}}}
	// Whatever type the given ones are of, in JSON they are an object, or null.
	var given Spec
	text, err := json.Marshal(spec["patches"])
	if err == nil {
		err = json.Unmarshal(text, &given)
	}
	if err != nil {
		t.Fatalf("patches: %v", err)
	}
	for id, patch := range given {
		patches[id] = patch
	}
	changed := Spec{}
	for member, value := range spec {
		changed[member] = value
	}
	changed["patches"] = patches
	return changed
}

// Client gives the client of that id.
func (r *Realm) Client(id string) Client {
	r.t.Helper()
	var known []string
	for _, client := range r.Clients {
		if client.ID == id {
			return client
		}
		known = append(known, client.ID)
	}
	r.t.Fatalf("the realm has no client %q; it has %s", id, strings.Join(known, ", "))
	return Client{}
}

// AddClient adds a client, or replaces the one of that id: client_id, client_secret, redirect_uris, grant_types, scopes.
func (r *Realm) AddClient(registration Spec) Client {
	r.t.Helper()
	var added Client
	r.Request(http.MethodPut, "clients", registration, &added)
	var clients []Client
	for _, client := range r.Clients {
		if client.ID != added.ID {
			clients = append(clients, client)
		}
	}
	r.Clients = append(clients, added)
	return added
}

// AddUser adds a user, or replaces the one of that name: username, password, claims.
func (r *Realm) AddUser(user Spec) {
	r.t.Helper()
	r.Request(http.MethodPut, "users", user, nil)
}

// AddFault switches a fault on.
func (r *Realm) AddFault(id string) {
	r.t.Helper()
	r.Request(http.MethodPut, "faults/"+id, nil, nil)
}

// RemoveFault switches a fault off.
func (r *Realm) RemoveFault(id string) {
	r.t.Helper()
	r.Request(http.MethodDelete, "faults/"+id, nil, nil)
}

// AddScripts adds scripts by their ids, over everything that is in force; that their rules apply is verified like what is expected.
func (r *Realm) AddScripts(scripts Spec) {
	r.t.Helper()
	r.Request(http.MethodPost, "scripts", scripts, nil)
}

// RotateKeys puts new keys in place of those that sign: Spec{"alg": "ES256", "publish": false, "keep_old": false}, or nil.
func (r *Realm) RotateKeys(how Spec) {
	r.t.Helper()
	if how == nil {
		how = Spec{}
	}
	r.Request(http.MethodPost, "keys/rotate", how, nil)
}

// Advance moves the clock of the realm forward: "90s", "1h 30m".
func (r *Realm) Advance(duration string) {
	r.t.Helper()
	r.Request(http.MethodPost, "clock", Spec{"advance": duration}, nil)
}

// Freeze stops the clock of the realm.
func (r *Realm) Freeze() {
	r.t.Helper()
	r.Request(http.MethodPost, "clock", Spec{"frozen": true}, nil)
}

// Mint makes a token (access_token, refresh_token, id_token, code), right or broken: Spec{"broken": []string{"expired"}}.
func (r *Realm) Mint(kind, client string, more Spec) Token {
	r.t.Helper()
	asked := Spec{"kind": kind, "client": client}
	for member, value := range more {
		asked[member] = value
	}
	var token Token
	r.Request(http.MethodPost, "tokens", asked, &token)
	return token
}

// Authorize runs an authorization request in a realm with AutoLogin, and gives the URL that the client is called back at. The answer is
// in its query, a code or an error. The redirect to the client is not followed.
func (r *Realm) Authorize(request string) *url.URL {
	r.t.Helper()
	browser := *r.HTTPClient
	// It never fails.
	browser.Jar, _ = cookiejar.New(nil)
	browser.CheckRedirect = func(next *http.Request, past []*http.Request) error {
		for _, own := range []string{r.Issuer, r.published, r.Control} {
			if !sameOrigin(next.URL, own) {
				continue
			}
			if len(past) == 10 {
				return errors.New("too many redirects")
			}
			return nil
		}
		return http.ErrUseLastResponse
	}
	response, err := browser.Get(request)
	if err != nil {
		r.t.Fatal(err)
	}
	response.Body.Close()
	callback, err := response.Location()
	if err != nil {
		r.t.Fatalf("%s was answered with %d and no redirect; realms with AutoLogin show no login page", response.Request.URL, response.StatusCode)
	}
	return callback
}

func sameOrigin(a *url.URL, b string) bool {
	other, err := url.Parse(b)
	return err == nil && a.Scheme == other.Scheme && a.Host == other.Host
}

// Journal gives the exchanges that match, the earliest first.
func (r *Realm) Journal(match Match) []Exchange {
	r.t.Helper()
	var found struct{ Entries []Exchange }
	r.Request(http.MethodPost, "journal/search", Spec{"match": orAll(match)}, &found)
	return found.Entries
}

// Wait waits for an exchange that matches, from an index on; timeout: "10s".
func (r *Realm) Wait(match Match, since uint64, timeout string) Exchange {
	r.t.Helper()
	var found struct{ Entry Exchange }
	r.Request(http.MethodPost, "journal/wait", Spec{"match": orAll(match), "since": since, "timeout": timeout}, &found)
	return found.Entry
}

// Expect expects exchanges, past and future ones: a number of them, [AtLeast] or [AtMost] so many.
func (r *Realm) Expect(match Match, times any) {
	r.t.Helper()
	expectation := Spec{"when": orAll(match), "times": times}
	r.Request(http.MethodPost, "expectations", Spec{"expect": []Spec{expectation}}, nil)
}

// Bounds say how often something may happen.
type Bounds map[string]int

// AtLeast is for [Realm.Expect].
func AtLeast(times int) Bounds { return Bounds{"gte": times} }

// AtMost is for [Realm.Expect].
func AtMost(times int) Bounds { return Bounds{"lte": times} }

// ExpectInOrder expects at least one exchange for each of these, one after the other.
func (r *Realm) ExpectInOrder(matches ...Match) {
	r.t.Helper()
	var expected []Spec
	for _, match := range matches {
		expected = append(expected, Spec{"when": orAll(match)})
	}
	r.Request(http.MethodPost, "expectations", Spec{"expect": expected, "in_order": true}, nil)
}

// Verify fails the test if something that was expected did not happen, and tells what came nearest.
func (r *Realm) Verify() {
	r.t.Helper()
	var verification struct {
		Met    bool
		Report string
	}
	r.Request(http.MethodGet, "verification", nil, &verification)
	if !verification.Met {
		r.t.Error(verification.Report)
	}
}

func orAll(match Match) Match {
	if match == nil {
		return Match{}
	}
	return match
}

// Request is a control request below the realm, for what has no method here: Request("PUT", "variants/opaque-access-tokens", nil, nil).
// The answer is decoded into the last argument; the test ends where the request is refused.
func (r *Realm) Request(method, path string, body, into any) {
	r.t.Helper()
	r.request(method, r.Control+"/"+path, body, into)
}

func (r *Realm) request(method, url string, body, into any) {
	r.t.Helper()
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			r.t.Fatal(err)
		}
		sent = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, url, sent)
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if r.server.token != "" {
		request.Header.Set("Authorization", "Bearer "+r.server.token)
	}
	response, err := r.server.client.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	if response.StatusCode >= 300 {
		r.t.Fatalf("%s %s: %s", method, url, problem(text))
	}
	if into != nil {
		if err := json.Unmarshal(text, into); err != nil {
			r.t.Fatal(err)
		}
	}
}

// problem is a problem document (RFC 9457) in words.
func problem(text []byte) string {
	var document struct {
		Detail string
		Errors []struct{ Pointer, Parameter, Detail, Help string }
	}
	if json.Unmarshal(text, &document) != nil {
		return string(text)
	}
	if len(document.Errors) == 0 {
		return document.Detail
	}
	var flaws []string
	for _, flaw := range document.Errors {
		words := strings.Fields(strings.Join([]string{flaw.Pointer, flaw.Parameter, flaw.Detail, flaw.Help}, " "))
		flaws = append(flaws, strings.Join(words, " "))
	}
	return strings.Join(flaws, "; ")
}

// server is a running program. It ends when the pipe to its standard input does: with this process.
type server struct {
	control string
	token   string
	client  *http.Client
	// ca is the authority of its certificate (PEM), where there is one.
	ca []byte
	// input is kept: what nobody refers to is closed.
	input io.Closer
}

// caFile writes the authority to a file for one test.
func (s *server) caFile(t testing.TB) string {
	t.Helper()
	if len(s.ca) == 0 {
		return ""
	}
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, s.ca, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// servers are those that run, by the options that they were started with.
var (
	serversLock sync.Mutex
	servers     = map[string]*server{}
)

func shared(t testing.TB, options Options) *server {
	t.Helper()
	if options.URL == "" {
		options.URL = os.Getenv("OAUTHSPEC_URL")
	}
	if options.Token == "" {
		options.Token = os.Getenv("OAUTHSPEC_TOKEN")
	}
	kind := fmt.Sprintf("%#v", options)
	serversLock.Lock()
	defer serversLock.Unlock()
	if running, known := servers[kind]; known {
		return running
	}
	started, err := start(options)
	if err != nil {
		t.Fatal(err)
	}
	servers[kind] = started
	return started
}

func start(options Options) (*server, error) {
	started := &server{token: options.Token}
	var err error
	switch {
	case options.URL != "":
		started.control = strings.TrimSuffix(strings.TrimRight(options.URL, "/"), "/_oauthspec") + "/_oauthspec"
		started.ca = []byte(options.CA)
	case options.TLS:
		err = started.runTLS(options.Args)
	default:
		err = started.run(options.Args)
	}
	started.client = clientTrusting(started.ca)
	return started, err
}

func (s *server) runTLS(args []string) error {
	folder, err := os.MkdirTemp("", "oauthspec-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	caOut := filepath.Join(folder, "ca.pem")
	if err := s.run(append([]string{"--tls", "--tls-ca-out", caOut}, args...)); err != nil {
		return err
	}
	s.ca, err = os.ReadFile(caOut)
	return err
}

func (s *server) run(args []string) error {
	program := os.Getenv("OAUTHSPEC_BIN")
	if program == "" {
		program = "oauthspec"
	}
	process := exec.Command(program, append([]string{"mock", "--format", "json", "--until-stdin-ends"}, args...)...)
	process.Stderr = os.Stderr
	// Answers that are still delayed when the tests are over hold nobody up. An option wins over this, and what the tests have set.
	process.Env = append([]string{"OAUTHSPEC_MOCK_GRACE=1s"}, os.Environ()...)
	if s.token != "" {
		process.Env = append(process.Env, "OAUTHSPEC_MOCK_CONTROL_TOKEN="+s.token)
	}
	process.SysProcAttr = groupOfItsOwn()
	input, err := process.StdinPipe()
	if err != nil {
		return err
	}
	output, err := process.StdoutPipe()
	if err != nil {
		return err
	}
	if err := process.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(output).ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("%s mock did not start: %v", program, process.Wait())
	}
	var ready struct{ Control string }
	if err := json.Unmarshal(line, &ready); err != nil {
		return err
	}
	s.control, s.input = strings.TrimRight(ready.Control, "/"), input
	return nil
}

// groupOfItsOwn makes Ctrl-C reach the tests alone: what they do at their end still needs the mock.
func groupOfItsOwn() *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{}
	// Windows has no such field. Looked up by its name it needs no second file with a build tag.
	if field := reflect.ValueOf(attributes).Elem().FieldByName("Setpgid"); field.IsValid() {
		field.SetBool(true)
	}
	return attributes
}

// clientTrusting makes a client that trusts this authority beside those of the system, and asks no proxy of the environment.
func clientTrusting(ca []byte) *http.Client {
	authorities, err := x509.SystemCertPool()
	if err != nil {
		authorities = x509.NewCertPool()
	}
	authorities.AppendCertsFromPEM(ca)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authorities}}}
}
