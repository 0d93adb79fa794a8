from __future__ import annotations

import asyncio
import functools
import os
import random as randomness
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any

import httpx

from ._calls import AsyncGroup, Call, SyncGroup, get, operation, run
from ._connection import AsyncConnection, SyncConnection
from ._credentials import (
    AsyncSessionCredential,
    SessionCredential,
    async_credential,
    sync_credential,
)
from ._decode import DecodeError, decode_list
from ._encode import members, path_text, texts
from ._exchange import Policy
from ._keys import AsyncKeys, Keys
from ._members import AsyncMembers, Members
from ._models import Identity, Mode, Session, Status, Verdict, Verification
from ._organizations import AsyncOrganizations, Organizations
from ._secret import SecretToken, secret
from ._session_issuers import AsyncSessionIssuers, SessionIssuers
from ._sessions import AsyncSessions, Sessions
from ._version import __version__
from ._webhooks import AsyncWebhooks, Webhooks
from ._workspaces import AsyncWorkspaces, Workspaces

_USER_AGENT = f"mortise-python/{__version__}"
_STANDARD_URL = "http://127.0.0.1:8080"


@functools.cache
def _tls() -> ssl.SSLContext:
    """Returns the TLS settings of all clients. Reading the root certificates takes 30 milliseconds."""
    return httpx.create_ssl_context()


def _policy(
    url: str, timeout: float, attempt_timeout: float, max_retries: int, user_agent: str, random: Callable[[], float]
) -> Policy:
    """Returns the policy of a client. Raises if an argument is not usable."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ValueError(f"The URL of the server is not valid: {error}.") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ValueError("The URL of the server must begin with https:// or http:// and name a host.")
    if parsed.userinfo:
        raise ValueError("The URL of the server must not hold a user or password.")
    if parsed.query or parsed.fragment or "?" in url or "#" in url:
        raise ValueError("The URL of the server must not have a query or fragment.")
    if not timeout > 0 or not attempt_timeout > 0:
        raise ValueError("A timeout must be a positive number of seconds.")
    if max_retries < 0:
        raise ValueError("max_retries must not be negative.")
    if not user_agent or not all(" " <= character <= "~" for character in user_agent):
        raise ValueError("The user agent must be printable ASCII and must not be empty.")
    return Policy(url.rstrip("/"), timeout, attempt_timeout, max_retries, user_agent, random)


def _environment(url: str | None) -> tuple[str, SecretToken]:
    token = os.environ.get("MORTISE_TOKEN")
    if not token:
        raise ValueError("The environment variable MORTISE_TOKEN is not set. It holds the token of a key.")
    return url or os.environ.get("MORTISE_URL") or _STANDARD_URL, SecretToken(token)


def _question(question: Verification) -> dict[str, Any]:
    return members(
        token=secret(question.token),
        scopes=texts("scopes", question.scopes) or None,
        address=question.address,
        mode=question.mode,
        namespace=question.namespace,
    )


class _ClientCalls:
    @operation
    def verify(
        self,
        token: SecretToken | str,
        *,
        scopes: Sequence[str] = (),
        address: str | None = None,
        mode: Mode | None = None,
        namespace: str | None = None,
    ) -> Call[Verdict]:
        """Verifies a token.

        Requires the permission `keys:verify`. A refused token is a verdict, not an error. Treat every error as a
        refusal. A token of another organization than the credential's gets the verdict `not_found`. Admin and operator
        keys are never valid here. Each call counts as a use of the key, so the call is retried only if nothing was
        sent.

        Args:
            token: The token that your application received, at most 4096 characters.
            scopes: The scopes that the key must have, at most 100. An empty list accepts every key.
            address: The IP address of the end client. A key that is restricted to addresses needs it.
            mode: The mode that the key must have. None accepts both.
            namespace: The namespace in which the key is used. None means `default`.
        """
        question = Verification(token, tuple(texts("scopes", scopes)), address, mode, namespace)
        return Call("POST", "/v1/verify", lambda body: _verdicts({"verdicts": [body]}, 1)[0], body=_question(question))

    @operation
    def verify_batch(self, verifications: Sequence[Verification]) -> Call[tuple[Verdict, ...]]:
        """Verifies up to 100 tokens in one call, and returns the verdicts in the same order.

        Requires the permission `keys:verify`. A token whose workspace is unavailable gets the verdict
        `workspace_unavailable`, and the others are not affected. Treat every error as a refusal of all tokens. The call
        is retried only if nothing was sent.
        """
        body = {"requests": [_question(verification) for verification in verifications]}
        count = len(verifications)
        return Call("POST", "/v1/verify/batch", lambda answer: _verdicts(answer, count), body=body)

    @operation
    def me(self) -> Call[Identity]:
        """Gets the identity and the permissions of the credential."""
        return get(["v1", "me"], Identity)

    @operation
    def change_password(self, *, current: SecretToken | str, new: SecretToken | str) -> Call[None]:
        """Changes the password of the signed-in member.

        Requires a member's session. The other sessions of the member end. The call is retried only if nothing was sent.

        Args:
            current: The current password. A wrong one is a fault of the request, and counts as a failed attempt to sign
                in.
            new: The new password, 12 to 256 characters.
        """
        body = {"current_password": secret(current), "new_password": secret(new)}
        return run("PUT", ["v1", "me", "password"], body)

    @operation
    def status(self) -> Call[Status]:
        """Gets the state of the installation. Requires an operator key."""
        return get(["v1", "status"], Status)

    @operation
    def openapi(self) -> Call[dict[str, Any]]:
        """Gets the OpenAPI document of the native API. Requires no credential."""
        return Call("GET", path_text(["openapi.json"]), _document)


def _document(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise DecodeError("", "an object")
    return body


def _verdicts(body: Any, count: int) -> tuple[Verdict, ...]:
    verdicts = decode_list(Verdict, body.get("verdicts") if isinstance(body, dict) else None, "/verdicts")
    if len(verdicts) != count:
        raise DecodeError("/verdicts", "an array with one verdict for each token")
    return verdicts


class Mortise(_ClientCalls, SyncGroup):
    """A client of one Mortise server.

    Creating a client opens no connection. Several threads can use a client at once. `close`, or the end of a `with`
    block, closes the connections.
    """

    def __init__(
        self,
        url: str,
        credential: SecretToken | str | Callable[[], SecretToken | str] | None,
        *,
        timeout: float = 30.0,
        attempt_timeout: float = 10.0,
        max_retries: int = 2,
        user_agent: str = _USER_AGENT,
        http: httpx.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = randomness.random,
    ) -> None:
        """Creates a client, which sends nothing before the first call.

        Args:
            url: The URL of the server, `https` or `http`, with a path if the server is behind a proxy. Over plain
                `http` others can read the credential.
            credential: The token of an admin or operator key, or a function that returns the current token. The
                function is called before each attempt. None calls without a credential, which is enough to sign in.
            timeout: The maximum duration of a call in seconds, retries included.
            attempt_timeout: The maximum duration of one attempt in seconds, for calls that can be repeated.
            max_retries: The maximum number of times that a call is sent again. Reads, and creations and rotations under
                an idempotency key, are sent again after a broken connection, a rate limit (429), a timeout or an outage
                (408, 502, 503, 504), and after a conflict (409) with `Retry-After`. Any other call is sent again only
                if no connection was established. The client waits as long as `Retry-After` says, and otherwise 0.25 to
                8 seconds, growing. It gives up if the wait does not fit into the timeout.
            user_agent: The value of the `User-Agent` header, in printable ASCII.
            http: A client with your own TLS or proxy settings, which you must close. None makes one that is closed with
                this client.
            sleep: Waits a number of seconds between two attempts.
            random: Returns a number from 0 to 1, which spreads clients that failed together.
        """
        policy = _policy(url, timeout, attempt_timeout, max_retries, user_agent, random)
        self._owned = httpx.Client(verify=_tls()) if http is None else None
        client = http or self._owned
        assert client is not None  # noqa: S101 - one of the two exists
        super().__init__(SyncConnection(policy, client, sync_credential(credential), sleep))

    @classmethod
    def from_environment(cls, url: str | None = None, **options: Any) -> Mortise:
        """Creates a client with the token in MORTISE_TOKEN, as the command line does.

        The URL is the argument, or MORTISE_URL, or http://127.0.0.1:8080. The options are those of `Mortise`.
        """
        url, token = _environment(url)
        return cls(url, token, **options)

    def __repr__(self) -> str:
        return f"Mortise({self._connection.policy.url!r})"

    def __enter__(self) -> Mortise:
        """Returns the client."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Closes the connections."""
        self.close()

    def close(self) -> None:
        """Closes the connections. Does nothing if the HTTP client is your own or another client's."""
        if self._owned is not None:
            self._owned.close()

    @property
    def organizations(self) -> Organizations:
        """The calls for organizations."""
        return Organizations(self._connection)

    @property
    def workspaces(self) -> Workspaces:
        """The calls for workspaces."""
        return Workspaces(self._connection)

    @property
    def sessions(self) -> Sessions:
        """The calls for a member's session and its tokens."""
        return Sessions(self._connection)

    @property
    def operator_keys(self) -> Keys:
        """The calls for the operator keys of the platform."""
        return Keys(self._connection, ("v1", "operator-keys"))

    def service_keys(self, workspace: str) -> Keys:
        """Returns the calls for the service keys of a workspace, which is named by its id or slug."""
        return Keys(self._connection, ("v1", "workspaces", workspace, "service-keys"))

    def client_keys(self, workspace: str) -> Keys:
        """Returns the calls for the client keys of a workspace, each of which belongs to a subject."""
        return Keys(self._connection, ("v1", "workspaces", workspace, "client-keys"))

    def admin_keys(self, organization: str) -> Keys:
        """Returns the calls for the admin keys of an organization, which is named by its id or slug."""
        return Keys(self._connection, ("v1", "organizations", organization, "admin-keys"))

    def members(self, organization: str) -> Members:
        """Returns the calls for the members of an organization, which is named by its id or slug."""
        return Members(self._connection, organization)

    def session_issuers(self, organization: str) -> SessionIssuers:
        """Returns the calls for the session issuers of an organization, which is named by its id or slug."""
        return SessionIssuers(self._connection, organization)

    def webhooks(self, organization: str) -> Webhooks:
        """Returns the calls for the webhooks of an organization, which is named by its id or slug."""
        return Webhooks(self._connection, organization)

    def sign_in(self, email: str, password: SecretToken | str, *, organization: str | None = None) -> Mortise:
        """Signs a member in and returns a client with the member's session, as `sessions.create` and `with_session`."""
        password = secret(password)
        return self.with_session(self.sessions.create(email, password, organization=organization))

    def with_session(self, session: Session) -> Mortise:
        """Returns a client whose credential is a session, which is renewed when needed.

        The new client uses the connections of this client, so close this client last. It is the only user of the
        session's refresh token from now on.
        """
        anonymous = Sessions(self._connection.with_credential(sync_credential(None)))
        client = Mortise.__new__(Mortise)
        client._owned = None
        client._connection = self._connection.with_credential(SessionCredential(session, anonymous.refresh))
        return client

    def sign_out(self) -> None:
        """Ends the session of the client. The tokens of the session stop working at once."""
        self.sessions.end()


class AsyncMortise(_ClientCalls, AsyncGroup):
    """A client of one Mortise server, for asyncio.

    Creating a client opens no connection. Several tasks of one event loop can use a client at once. `close`, or the end
    of an `async with` block, closes the connections. A cancelled call ends at once, and the server may still do what it
    was asked to do.
    """

    def __init__(
        self,
        url: str,
        credential: SecretToken | str | Callable[[], SecretToken | str | Awaitable[SecretToken | str]] | None,
        *,
        timeout: float = 30.0,
        attempt_timeout: float = 10.0,
        max_retries: int = 2,
        user_agent: str = _USER_AGENT,
        http: httpx.AsyncClient | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = randomness.random,
    ) -> None:
        """Creates a client, which sends nothing before the first call. The arguments are those of `Mortise`.

        The function of a credential and `sleep` can be asynchronous.
        """
        policy = _policy(url, timeout, attempt_timeout, max_retries, user_agent, random)
        self._owned = httpx.AsyncClient(verify=_tls()) if http is None else None
        client = http or self._owned
        assert client is not None  # noqa: S101 - one of the two exists
        super().__init__(AsyncConnection(policy, client, async_credential(credential), sleep))

    @classmethod
    def from_environment(cls, url: str | None = None, **options: Any) -> AsyncMortise:
        """Creates a client with the token in MORTISE_TOKEN, as the command line does.

        The URL is the argument, or MORTISE_URL, or http://127.0.0.1:8080. The options are those of `AsyncMortise`.
        """
        url, token = _environment(url)
        return cls(url, token, **options)

    def __repr__(self) -> str:
        return f"AsyncMortise({self._connection.policy.url!r})"

    async def __aenter__(self) -> AsyncMortise:
        """Returns the client."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Closes the connections."""
        await self.close()

    async def close(self) -> None:
        """Closes the connections. Does nothing if the HTTP client is your own or another client's."""
        if self._owned is not None:
            await self._owned.aclose()

    @property
    def organizations(self) -> AsyncOrganizations:
        """The calls for organizations."""
        return AsyncOrganizations(self._connection)

    @property
    def workspaces(self) -> AsyncWorkspaces:
        """The calls for workspaces."""
        return AsyncWorkspaces(self._connection)

    @property
    def sessions(self) -> AsyncSessions:
        """The calls for a member's session and its tokens."""
        return AsyncSessions(self._connection)

    @property
    def operator_keys(self) -> AsyncKeys:
        """The calls for the operator keys of the platform."""
        return AsyncKeys(self._connection, ("v1", "operator-keys"))

    def service_keys(self, workspace: str) -> AsyncKeys:
        """Returns the calls for the service keys of a workspace, which is named by its id or slug."""
        return AsyncKeys(self._connection, ("v1", "workspaces", workspace, "service-keys"))

    def client_keys(self, workspace: str) -> AsyncKeys:
        """Returns the calls for the client keys of a workspace, each of which belongs to a subject."""
        return AsyncKeys(self._connection, ("v1", "workspaces", workspace, "client-keys"))

    def admin_keys(self, organization: str) -> AsyncKeys:
        """Returns the calls for the admin keys of an organization, which is named by its id or slug."""
        return AsyncKeys(self._connection, ("v1", "organizations", organization, "admin-keys"))

    def members(self, organization: str) -> AsyncMembers:
        """Returns the calls for the members of an organization, which is named by its id or slug."""
        return AsyncMembers(self._connection, organization)

    def session_issuers(self, organization: str) -> AsyncSessionIssuers:
        """Returns the calls for the session issuers of an organization, which is named by its id or slug."""
        return AsyncSessionIssuers(self._connection, organization)

    def webhooks(self, organization: str) -> AsyncWebhooks:
        """Returns the calls for the webhooks of an organization, which is named by its id or slug."""
        return AsyncWebhooks(self._connection, organization)

    async def sign_in(
        self, email: str, password: SecretToken | str, *, organization: str | None = None
    ) -> AsyncMortise:
        """Signs a member in and returns a client with the member's session, as `sessions.create` and `with_session`."""
        password = secret(password)
        return self.with_session(await self.sessions.create(email, password, organization=organization))

    def with_session(self, session: Session) -> AsyncMortise:
        """Returns a client whose credential is a session, which is renewed when needed.

        The new client uses the connections of this client, so close this client last. It is the only user of the
        session's refresh token from now on.
        """
        anonymous = AsyncSessions(self._connection.with_credential(async_credential(None)))
        client = AsyncMortise.__new__(AsyncMortise)
        client._owned = None
        client._connection = self._connection.with_credential(AsyncSessionCredential(session, anonymous.refresh))
        return client

    async def sign_out(self) -> None:
        """Ends the session of the client. The tokens of the session stop working at once."""
        await self.sessions.end()
