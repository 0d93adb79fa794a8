"""The credentials of the two clients."""

from __future__ import annotations

import asyncio
import inspect
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from ._models import Session
from ._secret import SecretToken, secret

# The time between the renewal and the end of an access token, so that a token does not end on its way to the server.
_MARGIN = 30.0


class SyncCredential(Protocol):
    """The credential of a `Mortise`."""

    def token(self, rejected: SecretToken | None) -> SecretToken | None:
        """Returns the token to send, other than the token that the server has just refused."""


class AsyncCredential(Protocol):
    """The credential of an `AsyncMortise`."""

    async def token(self, rejected: SecretToken | None) -> SecretToken | None:
        """Returns the token to send, other than the token that the server has just refused."""


def sync_credential(value: SecretToken | str | Callable[[], SecretToken | str] | None) -> SyncCredential:
    """Returns the credential for the argument of `Mortise`."""
    return _Provided(value) if callable(value) else _Fixed(value)


def async_credential(
    value: SecretToken | str | Callable[[], SecretToken | str | Awaitable[SecretToken | str]] | None,
) -> AsyncCredential:
    """Returns the credential for the argument of `AsyncMortise`."""
    return _AsyncProvided(value) if callable(value) else _AsyncFixed(value)


class _Fixed:
    def __init__(self, token: SecretToken | str | None) -> None:
        self._token = None if token is None else secret(token)

    def token(self, rejected: SecretToken | None) -> SecretToken | None:
        return self._token if rejected is None else None


class _AsyncFixed:
    def __init__(self, token: SecretToken | str | None) -> None:
        self._token = None if token is None else secret(token)

    async def token(self, rejected: SecretToken | None) -> SecretToken | None:
        return self._token if rejected is None else None


class _Provided:
    def __init__(self, body: Callable[[], SecretToken | str]) -> None:
        self._body = body

    def token(self, rejected: SecretToken | None) -> SecretToken | None:
        return secret(self._body()) if rejected is None else None


class _AsyncProvided:
    def __init__(self, body: Callable[[], SecretToken | str | Awaitable[SecretToken | str]]) -> None:
        self._body = body

    async def token(self, rejected: SecretToken | None) -> SecretToken | None:
        if rejected is not None:
            return None
        value: Any = self._body()
        return secret(await value if inspect.isawaitable(value) else value)


class _Tokens:
    """The tokens of a session and the time to renew them."""

    def __init__(self, session: Session) -> None:
        self._access = session.access_token
        self.refresh = session.refresh_token
        self._renewal = time.monotonic() + session.expires_in - _MARGIN

    def access(self, rejected: SecretToken | None) -> SecretToken | None:
        """Returns the access token, or None if it must be renewed."""
        return None if self._access == rejected or time.monotonic() >= self._renewal else self._access


class SessionCredential:
    """Keeps the tokens of a session and renews them.

    A refresh token works once, and a second use ends the session. So only one renewal runs at a time, and every call
    that needs a token waits for it.
    """

    def __init__(self, session: Session, renew: Callable[[SecretToken], Session]) -> None:
        self._tokens = _Tokens(session)
        self._renew = renew
        self._lock = threading.Lock()

    def token(self, rejected: SecretToken | None) -> SecretToken | None:
        """Returns an access token other than `rejected`."""
        with self._lock:
            token = self._tokens.access(rejected)
            if token is None:
                session = self._renew(self._tokens.refresh)
                self._tokens = _Tokens(session)
                token = session.access_token
            return token


class AsyncSessionCredential:
    """Keeps the tokens of a session and renews them.

    The renewal is a task of its own: a cancelled call must not lose the new refresh token. It is limited by the timeout
    of the client.
    """

    def __init__(self, session: Session, renew: Callable[[SecretToken], Awaitable[Session]]) -> None:
        self._tokens = _Tokens(session)
        self._renew = renew
        self._renewal: asyncio.Task[SecretToken] | None = None

    async def token(self, rejected: SecretToken | None) -> SecretToken | None:
        """Returns an access token other than `rejected`."""
        token = self._tokens.access(rejected)
        if token is not None:
            return token
        if self._renewal is None:
            self._renewal = asyncio.create_task(self._renewed())
            # A task whose callers were all cancelled has no other reader of its error.
            self._renewal.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._renewal)

    async def _renewed(self) -> SecretToken:
        try:
            session = await self._renew(self._tokens.refresh)
            self._tokens = _Tokens(session)
            return session.access_token
        finally:
            self._renewal = None
