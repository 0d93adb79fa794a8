from __future__ import annotations

from ._calls import AsyncGroup, Call, SyncGroup, delete, get_all, operation, post, run
from ._encode import members
from ._models import Session, SessionsEnded, SessionSummary
from ._secret import SecretToken, secret


class _SessionCalls:
    @operation
    def create(self, email: str, password: SecretToken | str, *, organization: str | None = None) -> Call[Session]:
        """Signs a member in and returns the tokens of the session.

        Requires no credential. The call is retried only if nothing was sent. `sign_in` of the client also renews the
        tokens.

        Args:
            email: The e-mail address of the member.
            password: The password of the member.
            organization: The id or slug of the organization to work in. None means the organization that the member has
                been in longest.
        """
        body = members(email=email, password=secret(password), organization=organization)
        return post(["v1", "sessions"], Session, body)

    @operation
    def refresh(self, refresh_token: SecretToken | str) -> Call[Session]:
        """Renews the tokens of a session.

        Requires no credential. A refresh token works once: a second use ends the session. So the call is retried only
        if nothing was sent.
        """
        return post(["v1", "sessions", "refresh"], Session, members(refresh_token=secret(refresh_token)))

    @operation
    def end(self) -> Call[None]:
        """Ends the session of the credential. Its tokens stop working at once."""
        return run("DELETE", ["v1", "sessions", "current"])

    @operation
    def list_own(self) -> Call[tuple[SessionSummary, ...]]:
        """Lists the sessions of the signed-in member that have not ended, newest first, at most 100."""
        return get_all(["v1", "me", "sessions"], SessionSummary)

    @operation
    def end_own(self, id: str) -> Call[None]:
        """Ends a session of the signed-in member. The call is retried only if nothing was sent.

        Args:
            id: The id of the session.
        """
        return run("DELETE", ["v1", "me", "sessions", id])

    @operation
    def end_others(self) -> Call[SessionsEnded]:
        """Ends the sessions of the signed-in member, except the one of the credential.

        The call is retried only if nothing was sent.
        """
        return delete(["v1", "me", "sessions"], SessionsEnded, ())


class Sessions(_SessionCalls, SyncGroup):
    """The calls for a member's session and its tokens."""


class AsyncSessions(_SessionCalls, AsyncGroup):
    """The calls for a member's session and its tokens."""
