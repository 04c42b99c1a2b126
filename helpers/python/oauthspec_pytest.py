"""A pytest plugin: a mock authorization server for each test.

Copy this file beside your tests, and name it in `conftest.py`: `pytest_plugins = ["oauthspec_pytest"]`. It needs the program
`oauthspec` in PATH or in the environment variable OAUTHSPEC_BIN, and nothing beside pytest and the standard library.

    def test_login(oauthspec):
        client = oauthspec.client("web")
        my_app.configure(oauthspec.issuer, client["client_id"], client["client_secret"])
        ...

    @pytest.mark.oauthspec(faults=["openid-alg-none"])
    def test_refuses_unsigned_tokens(oauthspec):
        ...

One server runs for the whole session; each test has a realm of its own, which is gone when the test is over. What was expected with
`oauthspec.expect` is verified then. How the server is started says a fixture of that name in your `conftest.py`:

    @pytest.fixture(scope="session")
    def oauthspec_server():
        from oauthspec_pytest import Server

        with Server("--profile", "keycloak", tls=True) as server:
            yield server
"""

from __future__ import annotations

import contextlib
import json
import os
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest


#: An object of JSON: what the control API takes and gives.
Json = dict[str, Any]

#: What `auto_login` does, as a patch of the realm.
AUTO_LOGIN: Json = {"patch": [{"set": {"pages.login": False, "pages.consent": "never"}}]}


class ControlError(Exception):
    """The mock refuses a control request (its words name the member that is wrong), or cannot be reached."""


class Server:
    """A running `oauthspec mock`, which is started with these options of its command line, or runs already."""

    def __init__(
        self, *options: str, tls: bool = False, url: str | None = None, token: str | None = None, ca_file: str | None = None
    ) -> None:
        """`tls`: it serves by TLS, with a certificate that is made for the occasion.

        `url` (or the variable OAUTHSPEC_URL): where a mock runs already. Nothing is started or stopped then, and `options` and `tls` do not
        count. `ca_file`: a file with the authority that its certificate is from. `token` (OAUTHSPEC_TOKEN): what its control API asks
        for, also where the program is started.
        """
        self._process: subprocess.Popen[str] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        #: With TLS, the file with the authority that clients have to trust (PEM).
        self.ca_file = ca_file
        #: With TLS, a context that trusts it.
        self.ssl_context: ssl.SSLContext | None = None
        self._token = token or os.environ.get("OAUTHSPEC_TOKEN")
        url = url or os.environ.get("OAUTHSPEC_URL")
        #: The URL of the control API.
        self.control = f"{url.rstrip('/').removesuffix('/_oauthspec')}/_oauthspec" if url else self._start(options, tls)
        if self.control.startswith("https:"):
            self.ssl_context = ssl.create_default_context(cafile=self.ca_file)
        self._opener = self.browser()

    def _start(self, options: tuple[str, ...], tls: bool) -> str:
        if tls:
            self._folder = tempfile.TemporaryDirectory(prefix="oauthspec-")
            self.ca_file = os.path.join(self._folder.name, "ca.pem")
            options += ("--tls", "--tls-ca-out", self.ca_file)
        # Answers that are still delayed when the tests are over hold nobody up. An option wins over this.
        environment = {"OAUTHSPEC_MOCK_GRACE": "1s", **os.environ}
        if self._token:
            environment["OAUTHSPEC_MOCK_CONTROL_TOKEN"] = self._token
        command = [os.environ.get("OAUTHSPEC_BIN", "oauthspec"), "mock", "--format", "json", "--until-stdin-ends", *options]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            # Ctrl-C reaches the tests alone (a session of its own): their fixtures still need the mock.
            start_new_session=True,
        )
        assert process.stdin and process.stdout
        self._process = process
        if sys.platform != "win32":
            # A forked child holds the pipe too, and would keep the program alive.
            os.register_at_fork(after_in_child=process.stdin.close)
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(command)} ended with status {process.wait()}")
        control: str = json.loads(line)["control"]
        return control.rstrip("/")

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def issuer(self) -> str:
        """The issuer of the realm that is there from the start."""
        issuer: str = self.request("GET", "realms")["realms"][0]["issuer"]
        return issuer

    def realm(self, auto_login: bool = False, **spec: Any) -> Realm:
        """Makes a realm: `name`, `profile`, `variants`, `faults`, `patches`, `scripts`, `clients`, `users`, `seed`, `keys`, `clock`.

        `auto_login`: no login and no consent page is shown. Who logs in is the user whom `login_hint` names, else the first of the realm.
        """
        if auto_login:
            spec["patches"] = {"auto-login": AUTO_LOGIN, **spec.get("patches", {})}
        return Realm(self, self.request("POST", "realms", spec))

    def request(self, method: str, path: str, body: Json | None = None) -> Any:
        """A control request, for what has no method here: `request("GET", "catalog")`."""
        url = f"{self.control}/{path}"
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
        if self._token:
            asked.add_header("Authorization", f"Bearer {self._token}")
        try:
            with self._opener.open(asked) as response:
                text = response.read()
        except urllib.error.HTTPError as error:
            with error:
                raise ControlError(f"{method} {url}: {problem(error.read())}") from None
        except urllib.error.URLError as error:
            raise ControlError(f"{method} {url}: {error.reason}") from error
        return json.loads(text) if text else None

    def browser(self) -> urllib.request.OpenerDirector:
        """Opens URLs as a browser does, with cookies of its own, but follows no redirect. It trusts the server."""
        return urllib.request.build_opener(
            # No proxy of the environment is asked: it does not know this machine.
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=self.ssl_context),
            urllib.request.HTTPCookieProcessor(),
            _NoRedirects,
        )

    def close(self) -> None:
        """Ends the program, which also ends with this process. It is killed where nothing else helps."""
        process = self._process
        if process is None:
            return
        assert process.stdin and process.stdout
        process.stdin.close()
        for end in (process.terminate, process.kill):
            try:
                process.wait(timeout=5)
                break
            except subprocess.TimeoutExpired:
                end()
        process.wait()
        process.stdout.close()
        if self._folder:
            self._folder.cleanup()


class Realm:
    """An authorization server of its own: issuer, clients, users, keys, clock and journal."""

    def __init__(self, server: Server, view: Json) -> None:
        #: The server that it belongs to.
        self.server = server
        #: As it was when it was made: clients, users, policy.
        self.view = view
        self.name: str = view["name"]
        #: The issuer identifier; metadata are where RFC 8414 and OpenID Connect Discovery look for them.
        self.issuer: str = view["issuer"]
        self._path = f"realms/{self.name}"
        #: The URL of its control API.
        self.control = f"{server.control}/{self._path}"

    def client(self, client_id: str) -> Json:
        """The client of that id as it is registered: `client_secret`, `redirect_uris`, `grant_types`, `scopes`."""
        known: dict[str, Json] = {client["client_id"]: client for client in self.view["clients"]}
        if client_id not in known:
            raise LookupError(f"the realm has no client {client_id!r}; it has {', '.join(known) or 'none'}")
        return known[client_id]

    def add_client(self, client_id: str, **registration: Any) -> Json:
        """Adds a client, or replaces the one of that id: `client_secret`, `redirect_uris`, `grant_types`, `scopes`."""
        client: Json = self.request("PUT", "clients", {"client_id": client_id, **registration})
        self.view["clients"] = [other for other in self.view["clients"] if other["client_id"] != client_id] + [client]
        return client

    def add_user(self, username: str, **user: Any) -> Json:
        """Adds a user, or replaces the one of that name: `password`, `claims`."""
        added: Json = self.request("PUT", "users", {"username": username, **user})
        return added

    def add_fault(self, fault: str) -> None:
        """Switches a fault on."""
        self.request("PUT", f"faults/{fault}")

    def remove_fault(self, fault: str) -> None:
        """Switches a fault off."""
        self.request("DELETE", f"faults/{fault}")

    def add_scripts(self, scripts: Json) -> None:
        """Adds scripts by their ids, over everything that is in force; that their rules apply is verified like what is expected."""
        self.request("POST", "scripts", scripts)

    def rotate_keys(self, **how: Any) -> list[Json]:
        """Puts new keys in place of those that sign: `alg="ES256"` of them, `publish=False`, `keep_old=False`."""
        keys: list[Json] = self.request("POST", "keys/rotate", how)["keys"]
        return keys

    def advance(self, duration: str) -> None:
        """Moves the clock of the realm forward: `"90s"`, `"1h 30m"`."""
        self.request("POST", "clock", {"advance": duration})

    def freeze(self) -> None:
        """Stops the clock of the realm."""
        self.request("POST", "clock", {"frozen": True})

    def mint(self, kind: str, client: str, **more: Any) -> Json:
        """Makes a token (`access_token`, `refresh_token`, `id_token`, `code`), right or `broken=[…]`, and gives it with its claims."""
        token: Json = self.request("POST", "tokens", {"kind": kind, "client": client, **more})
        return token

    def authorize(self, url: str) -> str:
        """Runs an authorization request in a realm with `auto_login`, and gives the URL that the client is called back at.

        The answer is in its query, a code or an error. The redirect to the client is not followed.
        """
        own = {_origin(of_mock) for of_mock in (self.issuer, self.view["control"], self.control)}
        browser = self.server.browser()
        for _ in range(10):
            url = _redirect(browser, url)
            if _origin(url) not in own:
                return url
        raise ControlError(f"{url}: too many redirects")

    def journal(self, since: int = 0, **match: Any) -> list[Json]:
        """The exchanges that match, the earliest first: `journal(endpoint="token", grant="refresh_token")`."""
        entries: list[Json] = self.request("POST", "journal/search", {"match": match, "since": since})["entries"]
        return entries

    def wait(self, timeout: str = "10s", since: int | None = None, **match: Any) -> Json:
        """Waits for an exchange that matches: with `since` from that index on, else from now on."""
        body: Json = {"match": match, "timeout": timeout}
        if since is not None:
            body["since"] = since
        entry: Json = self.request("POST", "journal/wait", body)["entry"]
        return entry

    def expect(self, times: int | dict[str, int] | None = None, name: str | None = None, **match: Any) -> None:
        """Expects exchanges, past and future ones: `times` of them (`2`, `{"gte": 1, "lte": 3}`), without it at least one."""
        expectation = {"when": match, "times": times, "name": name}
        given = {member: value for member, value in expectation.items() if value is not None}
        self.request("POST", "expectations", {"expect": [given]})

    def expect_in_order(self, *matches: Json) -> None:
        """Expects at least one exchange for each of these, one after the other: `{"endpoint": "authorize"}, {"endpoint": "token"}`."""
        self.request("POST", "expectations", {"expect": [{"when": match} for match in matches], "in_order": True})

    def verify(self) -> None:
        """Fails if something that was expected did not happen, and tells what came nearest."""
        verification = self.request("GET", "verification")
        assert verification["met"], verification["report"]

    def delete(self) -> None:
        """Removes the realm with all that belongs to it."""
        self.server.request("DELETE", self._path)

    def close(self) -> None:
        """Verifies, and removes the realm."""
        try:
            self.verify()
        finally:
            self.delete()

    def request(self, method: str, path: str, body: Json | None = None) -> Any:
        """A control request below this realm, for what has no method here: `request("PUT", "variants/opaque-access-tokens")`."""
        return self.server.request(method, f"{self._path}/{path}", body)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def _redirect(browser: urllib.request.OpenerDirector, url: str) -> str:
    location: str | None = None
    try:
        with browser.open(url) as response:
            status = response.status
    except urllib.error.HTTPError as error:
        with error:
            status, location = error.code, error.headers["Location"]
    if not location:
        raise ControlError(f"{url} was answered with {status} and no redirect; realms with `auto_login` show no login page")
    return urllib.parse.urljoin(url, location)


def _origin(url: str) -> tuple[str, str]:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.netloc


def problem(text: bytes) -> str:
    """A problem document (RFC 9457) in words."""
    try:
        document = json.loads(text)
    except ValueError:
        return text.decode(errors="replace")
    flaws = [
        " ".join(filter(None, (flaw.get("pointer") or flaw.get("parameter"), flaw["detail"], flaw.get("help"))))
        for flaw in document.get("errors", [])
    ]
    return "; ".join(flaws) or document.get("detail", "")


def pytest_configure(config: pytest.Config) -> None:
    members = "auto_login, profile, variants, faults, patches, scripts, clients, users, …"
    config.addinivalue_line("markers", f"oauthspec({members}): the realm of a test")


@pytest.fixture(scope="session")
def oauthspec_server() -> Iterator[Server]:
    """The server of the session."""
    with Server() as server:
        yield server


@pytest.fixture
def oauthspec_realm(oauthspec_server: Server) -> Iterator[Callable[..., Realm]]:
    """Makes further realms for the test, as `Server.realm` does; each is verified and removed when the test is over."""
    with contextlib.ExitStack() as realms:

        def make(**spec: Any) -> Realm:
            realm = oauthspec_server.realm(**spec)
            realms.callback(realm.close)
            return realm

        yield make


@pytest.fixture
def oauthspec(request: pytest.FixtureRequest, oauthspec_realm: Callable[..., Realm]) -> Realm:
    """A realm for the test, made as the markers `oauthspec` of the test, its class and its module say."""
    return oauthspec_realm(**_merged(marker.kwargs for marker in request.node.iter_markers("oauthspec")))


def _merged(specs: Iterable[Json]) -> Json:
    """What the nearest says wins, but lists (faults) and tables (scripts) of the others stay."""
    merged: Json = {}
    for spec in reversed(list(specs)):
        for member, value in spec.items():
            before = merged.get(member)
            if isinstance(before, dict):
                value = {**before, **value}
            elif isinstance(before, (list, tuple)):
                value = [*before, *value]
            merged[member] = value
    return merged
