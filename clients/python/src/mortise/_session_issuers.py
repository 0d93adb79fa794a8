from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ._calls import AsyncGroup, Call, Listing, Segments, SyncGroup, create, listing, operation, run
from ._encode import members, texts
from ._models import SessionIssuer

if TYPE_CHECKING:
    from ._connection import AsyncConnection, SyncConnection


class _SessionIssuerCalls:
    _organization: str

    @operation
    def add(
        self,
        issuer: str,
        *,
        jwks_url: str | None = None,
        jwks_file: str | None = None,
        jwks: Mapping[str, Any] | None = None,
        algorithms: Sequence[str] | None = None,
        authorized_parties: Sequence[str] = (),
        audiences: Sequence[str] = (),
        read_roles: Sequence[str] = (),
        manage_roles: Sequence[str] | None = None,
        idempotency_key: str | None = None,
    ) -> Call[SessionIssuer]:
        """Adds a session issuer: the server accepts its sessions from now on.

        Pass one of `jwks_url`, `jwks_file` and `jwks`. The call is retried under its idempotency key.

        Args:
            issuer: The exact value of the claim `iss` of the session tokens.
            jwks_url: A URL of a JSON Web Key Set (RFC 7517), which the server reads every hour: `https`, or `http` to
                the server's own machine.
            jwks_file: The absolute path of a file with a JSON Web Key Set, on every node of the server.
            jwks: A JSON Web Key Set, at most 256 KiB.
            algorithms: The accepted signature algorithms, which must be asymmetric. None means `RS256`.
            authorized_parties: The accepted values of the claim `azp`, usually the origins of your pages. An empty list
                accepts all.
            audiences: The accepted values of the claim `aud`. With an empty list, a token with the claim is refused.
            read_roles: The roles that can read the keys of the application's organizations.
            manage_roles: The roles that can read, create and revoke those keys. None means `admin`, and an empty list
                means no role.
            idempotency_key: Your own text, which makes the call safe to repeat for 24 hours. None means a random text.
        """
        body = members(
            issuer=issuer,
            jwks_url=jwks_url,
            jwks_file=jwks_file,
            jwks=jwks,
            algorithms=None if algorithms is None else texts("algorithms", algorithms),
            authorized_parties=texts("authorized_parties", authorized_parties) or None,
            audiences=texts("audiences", audiences) or None,
            read_roles=texts("read_roles", read_roles) or None,
            manage_roles=None if manage_roles is None else texts("manage_roles", manage_roles),
        )
        return create(self._path(), SessionIssuer, body, idempotency_key)

    @listing
    def list(self, *, page_size: int = 50) -> Listing[SessionIssuer]:
        """Lists the session issuers, newest first.

        Args:
            page_size: The number of session issuers per page, 1 to 100.
        """
        return Listing(self._path(), SessionIssuer, (), page_size)

    @operation
    def remove(self, id: str) -> Call[None]:
        """Removes a session issuer: the server refuses its sessions from now on.

        The keys of its users keep working. The call is retried only if nothing was sent.
        """
        return run("DELETE", self._path(id))

    def _path(self, *more: str) -> Segments:
        return ["v1", "organizations", self._organization, "session-issuers", *more]


class SessionIssuers(_SessionIssuerCalls, SyncGroup):
    """The calls for the session issuers of an organization. All require an operator key."""

    def __init__(self, connection: SyncConnection, organization: str) -> None:
        """Creates the calls for an organization."""
        super().__init__(connection)
        self._organization = organization


class AsyncSessionIssuers(_SessionIssuerCalls, AsyncGroup):
    """The calls for the session issuers of an organization. All require an operator key."""

    def __init__(self, connection: AsyncConnection, organization: str) -> None:
        """Creates the calls for an organization."""
        super().__init__(connection)
        self._organization = organization
