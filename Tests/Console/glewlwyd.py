"""Signs people in to the console with Debian's OpenID provider, glewlwyd, and checks what is refused.

A small client stands for the browser: it keeps cookies by their origin and follows what pages and answers say. The provider requires PKCE with the
method S256, names itself in its answers (RFC 9207), and signs ID tokens first by an elliptic curve and then by RSA.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import html
import http.client
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

from mortise import REPOSITORY, program, running

# scripts/install-test-dependencies.sh unpacks the package to here.
GLEWLWYD = REPOSITORY / ".build/tools/glewlwyd"
CLIENT = "mortise"
PLAIN_SECRET = "a-secret_of.tests~0"
# The provider compares the pair in `Authorization` without decoding it, so this secret must come in the form.
ODD_SECRET = "a secret: +/=%"
PASSWORD = "correct horse battery"
# The name and the claims of each account. A claim that is absent here is absent in the ID token.
PEOPLE = {
    "grace": {"email": "grace@example.org", "email_verified": "yes"},
    "ada": {"email": "ada@example.org", "email_verified": "yes"},
    "second-grace": {"email": "grace@example.org", "email_verified": "yes"},
    "stranger": {"email": "stranger@example.org", "email_verified": "yes"},
    "unverified": {"email": "alan@example.org", "email_verified": "no"},
    "unsaid": {"email": "alan@example.org"},
}
MEMBERS = ["grace@example.org", "ada@example.org", "alan@example.org"]


class Answer:
    """An answer, with its text and the target of its redirect or of its page."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.text = response.read().decode()
        self.location = response.getheader("Location")
        self.cookies = response.msg.get_all("Set-Cookie") or []

    def next(self) -> str:
        """Returns the URL that a browser loads after this answer."""
        if self.location:
            return self.location
        found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', self.text)
        assert found, f"{self.status}: nothing goes on from {self.text[-2000:]}"
        return html.unescape(found[1])

    def alert(self) -> str:
        """Returns the sentence of a refusal, as a reader sees it."""
        found = re.search(r'role="alert".*?</(?:p|div)>', self.text, re.DOTALL)
        assert found, f"{self.status}: no alert in {self.text[-2000:]}"
        return html.unescape(re.sub(r"<[^>]*>", "", f"<{found[0]}"))


class Client:
    """A browser without pages: cookies of each origin, and requests that follow no redirect."""

    def __init__(self) -> None:
        self.cookies: dict[str, dict[str, str]] = {}

    def send(self, method: str, url: str, body: bytes | None = None, **headers: str) -> Answer:
        parts = urllib.parse.urlsplit(url)
        jar = self.cookies.setdefault(parts.netloc, {})
        if jar:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        connection = http.client.HTTPConnection(parts.netloc, timeout=60)
        with contextlib.closing(connection):
            connection.request(method, urllib.parse.urlunsplit(("", "", parts.path, parts.query, "")), body, headers)
            answer = Answer(connection.getresponse())
        for cookie in answer.cookies:
            name, _, value = cookie.split(";")[0].partition("=")
            jar.pop(name, None)
            if "max-age=0" not in cookie.lower():
                jar[name] = value
        return answer

    def get(self, url: str) -> Answer:
        return self.send("GET", url)

    def post_form(self, url: str, form: dict[str, str], **headers: str) -> Answer:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return self.send("POST", url, urllib.parse.urlencode(form).encode(), **headers)

    def call(self, method: str, url: str, body: object, **headers: str) -> Answer:
        headers["Content-Type"] = "application/json"
        answer = self.send(method, url, json.dumps(body).encode(), **headers)
        assert answer.status < 300, f"{method} {url}: {answer.status} {answer.text}"
        return answer


class Provider:
    """A glewlwyd that runs, with its administrator."""

    def __init__(self, port: int) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.issuer = f"{self.origin}/api/oidc"
        self.admin = Client()

    def sign_in(self, client: Client, name: str, password: str = PASSWORD) -> None:
        client.call("POST", f"{self.origin}/api/auth", {"username": name, "password": password})

    def set_up(self, folder: Path) -> None:
        # The account that the package's tables come with.
        self.sign_in(self.admin, "admin", "password")
        module = json.loads(self.admin.get(f"{self.origin}/api/mod/user/database").text)
        module["parameters"]["data-format"]["email_verified"] = {"multiple": False, "read": True, "write": True}
        self.admin.call("PUT", f"{self.origin}/api/mod/user/database", module)
        self.admin.call("PUT", f"{self.origin}/api/mod/user/database/reset", {})
        self.admin.call("POST", f"{self.origin}/api/mod/plugin/", self.plugin(folder, "ecdsa"))
        for name, claims in PEOPLE.items():
            person = {"username": name, "name": name, "password": PASSWORD, "scope": ["openid", "g_profile"], **claims}
            self.admin.call("POST", f"{self.origin}/api/user/", person)

    def change_key(self, folder: Path, kind: str) -> None:
        """Gives the provider another key, of another kind."""
        self.admin.call("PUT", f"{self.origin}/api/mod/plugin/oidc", self.plugin(folder, kind))
        self.admin.call("PUT", f"{self.origin}/api/mod/plugin/oidc/reset", {})

    def plugin(self, folder: Path, kind: str) -> dict:
        option = {"ecdsa": "EC -pkeyopt ec_paramgen_curve:P-256", "rsa": "RSA -pkeyopt rsa_keygen_bits:2048"}[kind]
        key = folder / f"{kind}.pem"
        subprocess.run(f"openssl genpkey -quiet -out {key} -algorithm {option}".split(), check=True)
        public = subprocess.run(["openssl", "pkey", "-in", key, "-pubout"], check=True, capture_output=True, text=True).stdout
        parameters = {
            "iss": self.issuer, "oauth-as-iss-id": True, "subject-type": "public", "allowed-scope": ["openid"],
            "jwt-type": kind, "jwt-key-size": "256", "key": key.read_text(), "cert": public, "jwks-show": True,
            "access-token-duration": 600, "refresh-token-duration": 600, "code-duration": 600,
            "auth-type-code-enabled": True, "auth-type-code-revoke-replayed": True, "auth-type-refresh-enabled": False,
            "pkce-allowed": True, "pkce-required": True, "pkce-method-plain-allowed": False,
            "name-claim": "mandatory", "email-claim": "mandatory",
            "claims": [{
                "name": "email_verified", "user-property": "email_verified", "type": "boolean", "boolean-value-true": "yes",
                "boolean-value-false": "no", "mandatory": True,
            }],
        }
        return {
            "module": "oidc", "name": "oidc", "display_name": "OpenID Connect", "order_rank": 0, "readonly": False, "parameters": parameters,
        }

    def register(self, redirect: str, secret: str) -> None:
        client = {
            "client_id": CLIENT, "name": "Mortise", "confidential": True, "client_secret": secret, "redirect_uri": [redirect],
            "authorization_type": ["code"], "token_endpoint_auth_method": ["client_secret_basic", "client_secret_post"], "scope": [],
            "enabled": True,
        }
        url = f"{self.origin}/api/client/"
        if self.admin.get(f"{url}{CLIENT}").status == 200:
            self.admin.call("PUT", f"{url}{CLIENT}", client)
        else:
            self.admin.call("POST", url, client)

    def answer(self, client: Client, name: str, authorization: str) -> str:
        """Signs a person in at the provider, who agrees. Returns the URL to which the provider sends the browser back."""
        self.sign_in(client, name)
        client.call("PUT", f"{self.origin}/api/auth/grant/{CLIENT}", {"scope": "openid"})
        return client.get(f"{authorization}&g_continue").next()


def wait_for(log: Path, pattern: str, process: subprocess.Popen) -> re.Match[str] | None:
    """Waits for a line of a log. Returns `None` if the program ends before."""
    end = time.monotonic() + 120
    while True:
        has_ended = process.poll() is not None
        found = re.search(pattern, log.read_text(errors="replace"))
        if found or has_ended:
            return found
        assert time.monotonic() < end, f"{pattern} is not in {log.name} after two minutes"
        time.sleep(0.05)


@contextlib.contextmanager
def provider(folder: Path) -> Iterator[Provider]:
    """Runs glewlwyd on this machine while the body runs."""
    log = folder / "glewlwyd.log"
    # A port may be taken, which ends glewlwyd.
    for _ in range(20):
        port = random.randint(20_000, 32_000)
        database = folder / f"glewlwyd-{port}.sqlite"
        tables = GLEWLWYD / "usr/share/dbconfig-common/data/glewlwyd/install/sqlite3"
        with contextlib.closing(sqlite3.connect(database)) as connection:
            connection.executescript(tables.read_text())
        configuration = folder / "glewlwyd.conf"
        configuration.write_text(settings(port, database))
        with running([str(GLEWLWYD / "usr/bin/glewlwyd"), "--config-file", str(configuration)], log) as process:
            if not wait_for(log, "Glewlwyd started on port", process):
                continue
            result = Provider(port)
            result.set_up(folder)
            yield result
            return
    sys.exit(f"glewlwyd does not start:\n{log.read_text(errors='replace')[-4000:]}")


def settings(port: int, database: Path) -> str:
    modules = GLEWLWYD / "usr/lib/glewlwyd"
    texts = {
        "bind_address": "127.0.0.1", "external_url": f"http://127.0.0.1:{port}", "login_url": "login.html", "api_prefix": "api",
        "log_mode": "console", "log_level": "INFO", "cookie_same_site": "lax", "session_key": "GLEWLWYD2_SESSION_ID",
        "admin_scope": "g_admin", "profile_scope": "g_profile", "user_module_path": modules / "user",
        "client_module_path": modules / "client", "user_auth_scheme_module_path": modules / "scheme",
        "plugin_module_path": modules / "plugin", "hash_algorithm": "SHA512",
    }
    lines = [f'{name} = "{value}"' for name, value in texts.items()]
    lines += [f"port = {port}", "cookie_secure = 0", f'database = {{ type = "sqlite3"; path = "{database}"; }};']
    return "\n".join(lines) + "\n"


class Mortise:
    """A Mortise that runs, with its first admin key."""

    def __init__(self, address: str, keys: Path) -> None:
        self.origin = f"http://{address}"
        self.token = next(word for word in keys.read_text().split() if word.startswith("mka_"))

    def post(self, path: str, body: object) -> dict:
        return json.loads(Client().call("POST", self.origin + path, body, Authorization=f"Bearer {self.token}").text)

    def get(self, path: str) -> dict:
        answer = Client().send("GET", self.origin + path, Authorization=f"Bearer {self.token}")
        assert answer.status == 200, f"{path}: {answer.status} {answer.text}"
        return json.loads(answer.text)

    def wait(self) -> None:
        """Waits until the key works: a node that has just started answers 503 until it has its lease."""
        end = time.monotonic() + 120
        while Client().send("GET", f"{self.origin}/v1/me", Authorization=f"Bearer {self.token}").status != 200:
            assert time.monotonic() < end, "the admin key does not work after two minutes"
            time.sleep(0.05)

    def begin(self, client: Client) -> str:
        """Presses the button of the sign-in page. Returns the provider's page to which the browser goes."""
        page = client.get(f"{self.origin}/console/sign-in")
        token = re.search(r'action="/console/oidc">\s*<input type="hidden" name="csrf" value="([^"]+)"', page.text)
        assert token, page.text
        form = {"csrf": html.unescape(token[1]), "next": "/console/"}
        own_page = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"}
        return client.post_form(f"{self.origin}/console/oidc", form, **own_page).next()


@contextlib.contextmanager
def server(folder: Path, provider: Provider, secret: str) -> Iterator[Mortise]:
    """Runs a Mortise with members while the body runs, and makes it a client of the provider."""
    log = folder / "mortise.log"
    environment = {
        **os.environ,
        "MORTISE_DATA": str(folder / "data"), "MORTISE_LISTEN": "127.0.0.1:0", "MORTISE_KEYS_OUT": str(folder / "keys"),
        "MORTISE_OIDC_ISSUER": provider.issuer, "MORTISE_OIDC_CLIENT_ID": CLIENT, "MORTISE_OIDC_CLIENT_SECRET": secret,
        "MORTISE_OIDC_NAME": "Glewlwyd",
    }
    with running([program(), "serve"], log, environment) as process:
        found = wait_for(log, r'"message":"listening".*?"address":"[^"]*:(\d+)"', process)
        assert found, "mortise has ended"
        mortise = Mortise(f"127.0.0.1:{found[1]}", folder / "keys")
        mortise.wait()
        members = "/v1/organizations/default/members"
        for email in MEMBERS:
            if not mortise.get(f"{members}?query={email}")["data"]:
                mortise.post(members, {"email": email, "role": "admin"})
        provider.register(f"{mortise.origin}/console/oidc/callback", secret)
        yield mortise


def changed(url: str, **values: str) -> str:
    """Returns a URL with other values of parameters."""
    parts = urllib.parse.urlsplit(url)
    query = dict(urllib.parse.parse_qsl(parts.query)) | values
    return urllib.parse.urlunsplit(parts._replace(query=urllib.parse.urlencode(query)))


def parameters(url: str) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))


def expect_refusal(answer: Answer, status: int, sentence: str, client: Client, mortise: Mortise) -> None:
    assert answer.status == status and sentence in answer.alert(), f"{answer.status} {answer.alert()}, not {status} {sentence}"
    home = client.get(f"{mortise.origin}/console/")
    assert "Sign out" not in home.text, "a refused sign-in has begun a session"


def expect_console(client: Client, mortise: Mortise, answer: Answer) -> None:
    assert answer.status == 200, f"{answer.status} {answer.alert()}"
    assert answer.next() == "/console/", answer.next()
    home = client.get(f"{mortise.origin}/console/")
    assert home.status == 200 and "Sign out" in home.text and 'href="/console/workspaces/default"' in home.text, home.text[-3000:]


def a_member_signs_in(mortise: Mortise, provider: Provider) -> None:
    client = Client()
    authorization = mortise.begin(client)
    asked = parameters(authorization)
    assert authorization.startswith(f"{provider.origin}/api/oidc/auth?") and asked["code_challenge_method"] == "S256"
    back = provider.answer(client, "grace", authorization)
    assert parameters(back)["state"] == asked["state"] and parameters(back)["iss"] == provider.issuer, back
    expect_console(client, mortise, client.get(back))
    member = mortise.get("/v1/organizations/default/members?query=grace@example.org")["data"][0]
    assert member["user"]["identity"]["issuer"] == provider.issuer and member["user"]["identity"]["subject"], member
    # The second sign-in is by the subject.
    again = Client()
    expect_console(again, mortise, again.get(provider.answer(again, "grace", mortise.begin(again))))


def people_who_are_refused(mortise: Mortise, provider: Provider) -> None:
    refusals = {
        "stranger": "No member has the address stranger@example.org.",
        "unverified": "does not say that your e-mail address is verified",
        "unsaid": "does not say that your e-mail address is verified",
        "second-grace": "Another account of the identity provider signs in as grace@example.org.",
    }
    for name, sentence in refusals.items():
        client = Client()
        answer = client.get(provider.answer(client, name, mortise.begin(client)))
        expect_refusal(answer, 403, sentence, client, mortise)


def callbacks_that_are_refused(mortise: Mortise, provider: Provider) -> None:
    client = Client()
    back = provider.answer(client, "ada", mortise.begin(client))
    # The state is somebody else's: the answer of the provider comes with the cookie of another browser, or of none.
    other = Client()
    others_state = parameters(mortise.begin(other))["state"]
    expect_refusal(other.get(back), 400, "Start again.", other, mortise)
    expect_refusal(Client().get(back), 400, "Start again.", Client(), mortise)
    expect_refusal(client.get(changed(back, state=others_state)), 400, "Start again.", client, mortise)
    expect_refusal(client.get(changed(back, state="made-up")), 400, "Start again.", client, mortise)
    # None of these has ended the sign-in that is under way, which works once.
    expect_console(client, mortise, client.get(back))
    assert client.get(back).status == 400
    # The answer names another issuer.
    client = Client()
    back = provider.answer(client, "ada", mortise.begin(client))
    answer = client.get(changed(back, iss="https://login.example.com"))
    expect_refusal(answer, 502, "does not answer as it should", client, mortise)


def the_verifier_is_required(mortise: Mortise, provider: Provider) -> None:
    # Without a challenge the provider sends no code.
    client = Client()
    authorization = mortise.begin(client)
    bare = {name: value for name, value in parameters(authorization).items() if not name.startswith("code_challenge")}
    refused = provider.answer(client, "ada", f"{authorization.split('?')[0]}?{urllib.parse.urlencode(bare)}")
    assert "error" in parameters(refused) and "code" not in parameters(refused), refused

    # A code is worth nothing without the verifier, or with another, also to whoever has the secret of the client.
    def exchange(**verifier: str) -> int:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(b"v" * 43).digest()).decode().rstrip("=")
        back = provider.answer(client, "ada", changed(authorization, code_challenge=challenge))
        form = {"grant_type": "authorization_code", "code": parameters(back)["code"], "redirect_uri": asked["redirect_uri"], **verifier}
        pair = base64.b64encode(f"{CLIENT}:{PLAIN_SECRET}".encode()).decode()
        return Client().post_form(f"{provider.issuer}/token", form, Authorization=f"Basic {pair}").status

    asked = parameters(authorization)
    statuses = [exchange(), exchange(code_verifier="w" * 43), exchange(code_verifier="v" * 43)]
    assert statuses[0] >= 400 and statuses[1] >= 400 and statuses[2] == 200, statuses

    # The code of one sign-in with the state of another: Mortise sends the verifier of its cookie, which does not fit the code.
    victim, thief = Client(), Client()
    code = parameters(provider.answer(victim, "ada", mortise.begin(victim)))["code"]
    back = provider.answer(thief, "stranger", mortise.begin(thief))
    expect_refusal(thief.get(changed(back, code=code)), 502, "does not answer as it should", thief, mortise)


def another_algorithm_and_secret_work(mortise: Mortise, provider: Provider) -> None:
    client = Client()
    expect_console(client, mortise, client.get(provider.answer(client, "grace", mortise.begin(client))))


def main() -> None:
    assert shutil.which("openssl"), "openssl is missing"
    rounds = {
        ("ecdsa", PLAIN_SECRET): [a_member_signs_in, people_who_are_refused, callbacks_that_are_refused, the_verifier_is_required],
        ("rsa", ODD_SECRET): [another_algorithm_and_secret_work],
    }
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        # As root, the server starts its PostgreSQL as another user.
        folder.chmod(0o755)
        with provider(folder) as identity:
            for (kind, secret), checks in rounds.items():
                identity.change_key(folder, kind)
                # Each round has a new server, because a running one looks for an unknown key once a minute at most.
                with server(folder, identity, secret) as mortise:
                    for check in checks:
                        check(mortise, identity)
                        print(f"ok: {check.__name__.replace('_', ' ')}", flush=True)


if __name__ == "__main__":
    main()
