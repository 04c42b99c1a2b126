package oauthspec

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"testing"
	"time"
)

var service = Spec{
	"client_id": "app", "client_secret": "app-secret", "token_endpoint_auth_method": "client_secret_post",
	"grant_types": []string{"client_credentials"}, "scopes": []string{"api:read"},
}

// do sends one request as an application does, and gives status and JSON.
func do(t *testing.T, request *http.Request, err error) (int, map[string]any) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var body map[string]any
	// Some answers have no body.
	_ = json.NewDecoder(response.Body).Decode(&body)
	return response.StatusCode, body
}

func tokenFrom(t *testing.T, issuer string) (int, map[string]any) {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"app"}, "client_secret": {"app-secret"}}
	request, err := http.NewRequest(http.MethodPost, issuer+"/token", strings.NewReader(form.Encode()))
	if err == nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return do(t, request, err)
}

func call(t *testing.T, url, token string) (int, map[string]any) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err == nil {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return do(t, request, err)
}

func TestARealmIssuesTokensAndKeepsAJournal(t *testing.T) {
	realm := New(t, Spec{"clients": []Spec{service}})
	realm.Expect(Match{"endpoint": "token", "grant": "client_credentials"}, 1)
	if status, body := tokenFrom(t, realm.Issuer); status != 200 || body["token_type"] != "Bearer" {
		t.Fatal(status, body)
	}
	journal := realm.Journal(Match{"endpoint": "token"})
	if len(journal) != 1 || journal[0].Client != "app" || journal[0].Response.Status != 200 {
		t.Fatal(journal)
	}
	if waited := realm.Wait(Match{"endpoint": "token"}, 0, "5s"); waited.Index != journal[0].Index {
		t.Fatal(waited)
	}
}

func TestTheRealmTellsItsClients(t *testing.T) {
	realm := New(t, Spec{"faults": []string{"openid-alg-none"}})
	client := realm.Client("web")
	request, err := http.NewRequest(http.MethodPost, realm.Issuer+"/token", strings.NewReader("grant_type=client_credentials"))
	if err == nil {
		request.SetBasicAuth(client.ID, client.Secret)
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if status, body := do(t, request, err); status != 200 || len(client.RedirectURIs) == 0 {
		t.Fatal(status, body, client)
	}
}

func authorizationURL(realm *Realm, scope string) string {
	client := realm.Client("web")
	return realm.Issuer + "/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {client.ID}, "redirect_uri": {client.RedirectURIs[0]}, "state": {"s1"}, "scope": {scope},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	}.Encode()
}

func TestAutoLoginLeadsToTheCallback(t *testing.T) {
	spec := Spec{
		"users":   []Spec{{"username": "carol"}, {"username": "dave"}},
		"patches": map[string]Spec{"short": {"patch": []Spec{{"set": Spec{"access_token.lifetime": 60}}}}},
	}
	realm := New(t, spec, Options{AutoLogin: true})
	callback := realm.Authorize(authorizationURL(realm, "openid"))
	if callback.Host != "client.example" || callback.Query().Get("code") == "" || callback.Query().Get("state") != "s1" {
		t.Fatal(callback)
	}
	journal := realm.Journal(Match{"endpoint": "authorize"})
	if len(journal) != 1 || journal[0].User != "carol" || realm.server != New(t, nil).server {
		t.Fatal(journal)
	}
	if refused := realm.Authorize(authorizationURL(realm, "no-such-scope")); refused.Query().Get("error") != "invalid_scope" {
		t.Fatal(refused)
	}
}

func TestWithoutAutoLoginThereIsAPage(t *testing.T) {
	realm, told := New(t, nil), &listener{TB: t}
	asking := *realm
	asking.t = told
	asking.Authorize(authorizationURL(realm, "openid"))
	if len(told.said) != 1 || !strings.Contains(told.said[0], "answered with 200 and no redirect; realms with AutoLogin") {
		t.Fatal(told.said)
	}
}

func TestEachTestHasARealmOfItsOwn(t *testing.T) {
	one, other := New(t, nil), New(t, nil)
	if one.Issuer == other.Issuer || len(one.Journal(nil)) != 0 {
		t.Fatal(one, other)
	}
}

var busy = Spec{"patch": []Spec{{"when": Spec{"endpoint": "token", "first": 1}, "respond": Spec{"status": 503, "json": Spec{}}}}}

func TestAScriptMakesItMisbehaveAtAMoment(t *testing.T) {
	realm := New(t, Spec{"scripts": Spec{"busy": busy}})
	for _, want := range []int{503, 401} {
		if status, body := tokenFrom(t, realm.Issuer); status != want {
			t.Fatal(status, body)
		}
	}
}

func TestAFaultBreaksOneRule(t *testing.T) {
	realm := New(t, Spec{"faults": []string{"bearer-never-expires"}})
	token := realm.Mint("access_token", "web", Spec{"user": "alice"})
	realm.Advance("2h")
	if status, _ := call(t, realm.Issuer+"/resource", token.Value); status != 200 {
		t.Fatal(status)
	}
}

func TestTokensAreMadeAndExpire(t *testing.T) {
	realm := New(t, nil)
	token := realm.Mint("access_token", "web", Spec{"user": "alice", "scope": "openid"})
	if status, body := call(t, realm.Issuer+"/userinfo", token.Value); status != 200 || body["sub"] != "alice" {
		t.Fatal(status, body)
	}
	realm.Advance("2h")
	if status, _ := call(t, realm.Issuer+"/userinfo", token.Value); status != 401 {
		t.Fatal(status)
	}
}

func TestBrokenTokensAreMade(t *testing.T) {
	claims := New(t, nil).Mint("id_token", "web", Spec{"user": "alice", "broken": []string{"expired"}}).Claims
	if int64(claims["exp"].(float64)) >= time.Now().Unix() {
		t.Fatal(claims)
	}
}

// listener is a test that writes down what it is told instead of failing.
type listener struct {
	testing.TB
	said []string
}

func (l *listener) Error(words ...any) { l.said = append(l.said, words[0].(string)) }

func (l *listener) Fatalf(format string, words ...any) {
	l.said = append(l.said, fmt.Sprintf(format, words...))
}

func TestWhatWasExpectedAndDidNotHappenFailsTheTest(t *testing.T) {
	realm := New(t, nil)
	told := &listener{TB: t}
	expecting := &Realm{Control: realm.Control, t: told, server: realm.server}
	expecting.Expect(Match{"endpoint": "token", "grant": "refresh_token"}, 1)
	expecting.Verify()
	expecting.Request(http.MethodDelete, "expectations", nil, nil)
	if len(told.said) != 1 || !strings.Contains(told.said[0], "refresh_token") {
		t.Fatal(told.said)
	}
}

func TestAClientThatIsNotThereIsNamed(t *testing.T) {
	told := &listener{TB: t}
	(&Realm{Clients: []Client{{ID: "web"}, {ID: "web2"}}, t: told}).Client("wep")
	if len(told.said) != 1 || !strings.Contains(told.said[0], `"wep"; it has web, web2`) {
		t.Fatal(told.said)
	}
}

func TestARealmIsChangedWhileItRuns(t *testing.T) {
	realm := New(t, nil)
	if added := realm.AddClient(service); added.Secret != "app-secret" || realm.Client("app").ID != "app" {
		t.Fatal(added)
	}
	realm.AddUser(Spec{"username": "carol"})
	realm.AddScripts(Spec{"busy": busy})
	for _, want := range []int{503, 200} {
		if status, body := tokenFrom(t, realm.Issuer); status != want {
			t.Fatal(status, body)
		}
	}
	token := realm.Mint("access_token", "web", Spec{"user": "carol"}).Value
	realm.Advance("2h")
	realm.AddFault("bearer-never-expires")
	if status, _ := call(t, realm.Issuer+"/resource", token); status != 200 {
		t.Fatal(status)
	}
	realm.RemoveFault("bearer-never-expires")
	if status, _ := call(t, realm.Issuer+"/resource", token); status != 401 {
		t.Fatal(status)
	}
}

func TestKeysAreRotated(t *testing.T) {
	realm := New(t, nil)
	before := realm.Mint("id_token", "web", nil).Header["kid"]
	realm.RotateKeys(nil)
	if after := realm.Mint("id_token", "web", nil).Header["kid"]; after == before || after == nil {
		t.Fatal(before, after)
	}
}

func TestExpectationsHaveBoundsAndOrder(t *testing.T) {
	realm := New(t, Spec{"clients": []Spec{service}})
	realm.Expect(Match{"endpoint": "token"}, AtLeast(1))
	realm.Expect(Match{"endpoint": "token"}, AtMost(2))
	realm.ExpectInOrder(Match{"endpoint": "token"}, Match{"endpoint": "resource"})
	tokenFrom(t, realm.Issuer)
	told := &listener{TB: t}
	(&Realm{Control: realm.Control, t: told, server: realm.server}).Verify()
	if len(told.said) != 1 || !strings.Contains(told.said[0], "resource") {
		t.Fatal(told.said)
	}
	call(t, realm.Issuer+"/resource", "none")
}

func TestAnExchangeTellsWhatWasDoneToIt(t *testing.T) {
	realm := New(t, Spec{"clients": []Spec{service}, "scripts": Spec{"broken": Spec{"patch": []Spec{
		{"when": Spec{"endpoint": "token"}, "rewrite": Spec{"message": Spec{"status": 500}}},
	}}}})
	tokenFrom(t, realm.Issuer)
	exchange := realm.Journal(nil)[0]
	if exchange.Auth != "post" || exchange.Rules[0].Patch != "broken" || exchange.Original.Status != 200 || exchange.At.IsZero() {
		t.Fatalf("%+v", exchange)
	}
	if len(exchange.Tokens) != 1 || exchange.Tokens[0].Claims["client_id"] != "app" {
		t.Fatalf("%+v", exchange.Tokens)
	}
}

func TestWhatHasNoMethodIsAControlRequest(t *testing.T) {
	var policy struct{ Variants []string }
	New(t, nil).Request(http.MethodPut, "variants/opaque-access-tokens", nil, &policy)
	if len(policy.Variants) != 1 {
		t.Fatal(policy)
	}
}

func TestItServesByTLS(t *testing.T) {
	options := Options{TLS: true, Args: []string{"--fault", "openid-alg-none"}}
	realm := New(t, nil, options)
	if other := New(t, nil, options); other.server != realm.server || other.CAFile == realm.CAFile {
		t.Fatal(other)
	}
	response, err := realm.HTTPClient.Get(realm.Issuer + "/.well-known/openid-configuration")
	if err != nil || response.StatusCode != 200 || !strings.HasPrefix(realm.Issuer, "https:") {
		t.Fatal(response, err, realm.Issuer)
	}
	response.Body.Close()
	if exchanges := realm.Journal(nil); len(exchanges) != 1 {
		t.Fatal(exchanges)
	}
	if ca, err := os.ReadFile(realm.CAFile); err != nil || string(ca) != string(realm.server.ca) {
		t.Fatal(string(ca), err)
	}
}

func TestAMockThatRunsAlreadyIsUsedAndLeftAlone(t *testing.T) {
	running := New(t, nil, Options{TLS: true, Token: "s3cret"}).server
	origin := strings.TrimSuffix(running.control, "/_oauthspec")
	options := Options{URL: origin, Token: "s3cret", CA: string(running.ca)}
	if realm := New(t, nil, options); realm.server == running || !strings.HasPrefix(realm.Issuer, origin) {
		t.Fatal(realm)
	}
	t.Setenv("OAUTHSPEC_URL", running.control)
	t.Setenv("OAUTHSPEC_TOKEN", "s3cret")
	if realm := New(t, nil, Options{CA: string(running.ca)}); realm.server.control != running.control {
		t.Fatal(realm)
	}
}

func TestAProblemNamesTheMember(t *testing.T) {
	words := problem([]byte(`{"detail":"d","errors":[{"pointer":"/faults/0","detail":"there is no such fault"}]}`))
	if words != "/faults/0 there is no such fault" {
		t.Fatal(words)
	}
}

const underCtrlC = "OAUTHSPEC_TEST_UNDER_CTRL_C"

func TestItSurvivesCtrlCAndEndsWithTheProcessOfTheTests(t *testing.T) {
	if os.Getenv(underCtrlC) != "" {
		waitForCtrlC(t)
	}
	if runtime.GOOS == "windows" {
		t.Skip("needs process groups")
	}
	tests := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	tests.Env = append(os.Environ(), underCtrlC+"=1")
	tests.SysProcAttr = groupOfItsOwn()
	output, err := tests.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	inherited, shared, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	tests.Stderr = shared
	if err := tests.Start(); err != nil {
		t.Fatal(err)
	}
	defer tests.Process.Kill()
	shared.Close()
	lines := bufio.NewScanner(output)
	expectLine(t, lines, "ready")
	group := fmt.Sprintf("-%d", tests.Process.Pid)
	if err := exec.Command("kill", "-INT", "--", group).Run(); err != nil {
		t.Fatal(err)
	}
	expectLine(t, lines, "alive")
	tests.Process.Kill()
	tests.Wait()
	// The mock shares the standard error, which ends when both are gone.
	if said, err := io.ReadAll(inherited); err != nil || len(said) != 0 {
		t.Fatal(string(said), err)
	}
}

func waitForCtrlC(t *testing.T) {
	New(t, nil)
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	fmt.Println("ready")
	<-interrupted
	New(t, nil)
	fmt.Println("alive")
	select {}
}

func expectLine(t *testing.T, lines *bufio.Scanner, want string) {
	t.Helper()
	if !lines.Scan() || lines.Text() != want {
		t.Fatalf("wanted %q, got %q", want, lines.Text())
	}
}
