"""What the plugin promises, on a running mock."""

import base64
import concurrent.futures
import json
import multiprocessing
import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from oauthspec_pytest import ControlError, Server

BUSY = {"patch": [{"when": {"endpoint": "token", "first": 1}, "respond": {"status": 503, "json": {}}}]}
SERVICE = {"client_id": "app", "client_secret": "app-secret", "grant_types": ["client_credentials"], "scopes": ["api:read"]}


def ask(url, form=None, token=None, basic=None, ssl_context=None):
    """Status and JSON of one request, as an application sends it."""
    request = urllib.request.Request(url, urllib.parse.urlencode(form).encode() if form else None)
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    if basic:
        request.add_header("Authorization", "Basic " + base64.b64encode(":".join(basic).encode()).decode())
    try:
        handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=ssl_context)]
        with urllib.request.build_opener(*handlers).open(request) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read() or "null")


def token_from(issuer):
    form = {"grant_type": "client_credentials", "client_id": "app", "client_secret": "app-secret"}
    return ask(f"{issuer}/token", form)


@pytest.mark.oauthspec(clients=[SERVICE | {"token_endpoint_auth_method": "client_secret_post"}])
def test_a_realm_issues_tokens_and_keeps_a_journal(oauthspec):
    oauthspec.expect(endpoint="token", grant="client_credentials", times=1)
    status, answer = token_from(oauthspec.issuer)
    assert (status, answer["token_type"]) == (200, "Bearer")
    [exchange] = oauthspec.journal(endpoint="token")
    assert exchange["client"] == "app"
    assert oauthspec.wait(since=0, endpoint="token")["index"] == exchange["index"]


def authorization_url(realm, **more):
    [redirect_uri, *_] = realm.client("web")["redirect_uris"]
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    request = {"response_type": "code", "client_id": "web", "redirect_uri": redirect_uri, "state": "s1", "code_challenge": challenge}
    return f"{realm.issuer}/authorize?" + urllib.parse.urlencode({**request, "code_challenge_method": "S256", **more})


@pytest.mark.oauthspec(auto_login=True, users=[{"username": "carol"}, {"username": "dave"}])
def test_auto_login_leads_to_the_callback(oauthspec):
    callback = oauthspec.authorize(authorization_url(oauthspec))
    assert callback.startswith("https://client.example/callback?")
    answer = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(callback).query))
    assert answer["code"] and answer["state"] == "s1"
    assert [exchange["user"] for exchange in oauthspec.journal(endpoint="authorize")] == ["carol"]
    assert "error=invalid_scope" in oauthspec.authorize(authorization_url(oauthspec, scope="no-such-scope"))


def test_without_auto_login_there_is_a_page(oauthspec):
    with pytest.raises(ControlError, match="login.* with 200 and .* `auto_login`"):
        oauthspec.authorize(authorization_url(oauthspec))


@pytest.mark.oauthspec(faults=["openid-alg-none"])
def test_the_realm_tells_its_clients(oauthspec):
    client = oauthspec.client("web")
    basic = (client["client_id"], client["client_secret"])
    assert ask(f"{oauthspec.issuer}/token", {"grant_type": "client_credentials"}, basic=basic)[0] == 200


def test_each_test_has_a_realm_of_its_own(oauthspec, oauthspec_server):
    assert oauthspec.issuer != oauthspec_server.issuer
    assert oauthspec.journal() == []


@pytest.mark.oauthspec(scripts={"busy": BUSY})
def test_a_script_makes_it_misbehave_at_a_moment(oauthspec):
    assert token_from(oauthspec.issuer)[0] == 503
    assert token_from(oauthspec.issuer)[0] == 401


@pytest.mark.oauthspec(faults=["bearer-never-expires"])
def test_a_fault_breaks_one_rule(oauthspec):
    token = oauthspec.mint("access_token", "web", user="alice")["token"]
    oauthspec.advance("2h")
    assert ask(f"{oauthspec.issuer}/resource", token=token)[0] == 200


def test_tokens_are_made_and_expire(oauthspec):
    token = oauthspec.mint("access_token", "web", user="alice", scope="openid")["token"]
    assert ask(f"{oauthspec.issuer}/userinfo", token=token) == (200, {"sub": "alice"})
    oauthspec.advance("2h")
    assert ask(f"{oauthspec.issuer}/userinfo", token=token)[0] == 401


def test_broken_tokens_are_made(oauthspec):
    claims = oauthspec.mint("id_token", "web", user="alice", broken=["expired"])["claims"]
    assert claims["exp"] < time.time()


def test_what_was_expected_and_did_not_happen_fails_the_test(oauthspec_server):
    realm = oauthspec_server.realm()
    realm.expect(endpoint="token", grant="refresh_token")
    token_from(realm.issuer)
    with pytest.raises(AssertionError, match="refresh_token"):
        realm.verify()
    realm.delete()


def test_a_refused_request_names_the_member(oauthspec_server):
    with pytest.raises(ControlError, match="/faults/0"):
        oauthspec_server.realm(faults=["no-such-fault"])


UNDER_CTRL_C = """
import signal, time
from oauthspec_pytest import Server
server = Server()
def still_answers(*_):
    server.realm().delete()
    print("alive", flush=True)
signal.signal(signal.SIGINT, still_answers)
print("ready", flush=True)
while True: time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs process groups")
def test_it_survives_ctrl_c_and_ends_with_the_process_of_the_tests():
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    tests = subprocess.Popen([sys.executable, "-c", UNDER_CTRL_C], **pipes, start_new_session=True)
    try:
        assert tests.stdout.readline() == "ready\n"
        os.killpg(tests.pid, signal.SIGINT)
        assert tests.stdout.readline() == "alive\n"
    finally:
        tests.kill()
    # The mock shares the standard error, which ends when both are gone.
    assert tests.communicate(timeout=5) == ("", "")


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_a_forked_child_does_not_keep_it_alive():
    server = Server()
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    child.start()
    began = time.monotonic()
    server.close()
    assert time.monotonic() - began < 4
    child.kill()
    child.join()


def test_it_does_not_wait_for_delayed_answers():
    server = Server()
    realm = server.realm(scripts={"slow": {"patch": [{"when": {"endpoint": "token"}, "rewrite": {"bytes": {"delay": "1m"}}}]}})
    with concurrent.futures.ThreadPoolExecutor() as asking:
        answer = asking.submit(token_from, realm.issuer)
        realm.wait(since=0, endpoint="token")
        began = time.monotonic()
        server.close()
        assert time.monotonic() - began < 4
        # A server that is stopped sends what it delayed at once.
        assert answer.result()[0] == 401


def test_it_serves_by_tls():
    with Server("--fault", "openid-alg-none", tls=True) as server:
        realm = server.realm()
        assert realm.issuer.startswith("https:") and realm.view["policy"]["faults"] == ["openid-alg-none"]
        metadata = f"{realm.issuer}/.well-known/openid-configuration"
        for context in (server.ssl_context, ssl.create_default_context(cafile=server.ca_file)):
            assert ask(metadata, ssl_context=context)[1]["issuer"] == realm.issuer
        assert realm.journal(endpoint="metadata")
    assert not os.path.exists(server.ca_file)


def test_what_has_no_method_is_a_control_request(oauthspec, oauthspec_server):
    assert oauthspec.request("PUT", "variants/opaque-access-tokens")["variants"] == ["opaque-access-tokens"]
    assert "faults" in oauthspec_server.request("GET", "catalog")


def test_a_mock_that_runs_already_is_used_and_left_alone(monkeypatch):
    with Server(tls=True, token="s3cret") as running:
        url = running.control.removesuffix("/_oauthspec")
        with Server(url=url, token="s3cret", ca_file=running.ca_file) as server:
            realm = server.realm()
            assert realm.issuer.startswith(url)
            realm.delete()
        monkeypatch.setenv("OAUTHSPEC_URL", running.control)
        monkeypatch.setenv("OAUTHSPEC_TOKEN", "s3cret")
        assert Server(ca_file=running.ca_file).issuer == running.issuer
        with pytest.raises(ControlError, match="oken"):
            Server(token="wrong", ca_file=running.ca_file).realm()
    with pytest.raises(ControlError, match=running.control):
        Server().realm()


@pytest.mark.oauthspec(faults=["openid-alg-none"], scripts={"a": BUSY}, seed=1)
class TestMarkers:
    @pytest.mark.oauthspec(faults=["bearer-never-expires"], scripts={"b": BUSY}, seed=2)
    def test_they_add_up(self, oauthspec):
        policy = oauthspec.view["policy"]
        assert policy["faults"] == ["openid-alg-none", "bearer-never-expires"]
        assert policy["scripts"] == ["a", "b"]
        token_from(oauthspec.issuer)
        token_from(oauthspec.issuer)


def test_further_realms_are_verified_and_removed(pytester):
    pytester.makeconftest('pytest_plugins = ["oauthspec_pytest"]')
    pytester.makepyfile(
        """
        import pytest
        from oauthspec_pytest import ControlError

        made = []

        def test_expects(oauthspec_realm):
            made.extend([oauthspec_realm(), oauthspec_realm()])
            for realm in made:
                realm.expect(endpoint="token")

        def test_they_are_gone():
            for realm in made:
                with pytest.raises(ControlError, match=realm.name):
                    realm.journal()
        """
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=2, errors=1)


def test_a_client_that_is_not_there_is_named(oauthspec):
    with pytest.raises(LookupError, match="'wep'; it has web, web2"):
        oauthspec.client("wep")


def test_a_realm_is_changed_while_it_runs(oauthspec):
    added = oauthspec.add_client("app", client_secret="app-secret", token_endpoint_auth_method="client_secret_post")
    assert oauthspec.client("app") == added
    assert token_from(oauthspec.issuer)[0] == 200
    assert oauthspec.add_user("carol", claims={"email": "carol@example.com"})["password"] == "carol"
    oauthspec.add_scripts({"busy": BUSY})
    assert [token_from(oauthspec.issuer)[0] for _ in range(2)] == [503, 200]
    token = oauthspec.mint("access_token", "web", user="carol", scope="openid")["token"]
    oauthspec.advance("2h")
    oauthspec.add_fault("bearer-never-expires")
    assert ask(f"{oauthspec.issuer}/resource", token=token)[0] == 200
    oauthspec.remove_fault("bearer-never-expires")
    assert ask(f"{oauthspec.issuer}/resource", token=token)[0] == 401


def test_keys_are_rotated(oauthspec):
    before = {key["kid"] for key in ask(f"{oauthspec.issuer}/jwks")[1]["keys"]}
    oauthspec.rotate_keys(keep_old=False)
    assert before.isdisjoint(key["kid"] for key in ask(f"{oauthspec.issuer}/jwks")[1]["keys"])


def test_expectations_have_bounds_and_order(oauthspec):
    oauthspec.expect(times={"gte": 1, "lte": 2}, endpoint="token")
    oauthspec.expect_in_order({"endpoint": "token"}, {"endpoint": "jwks"})
    token_from(oauthspec.issuer)
    with pytest.raises(AssertionError, match="jwks"):
        oauthspec.verify()
    ask(f"{oauthspec.issuer}/jwks")
