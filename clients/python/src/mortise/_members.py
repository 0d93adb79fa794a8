from __future__ import annotations

from typing import TYPE_CHECKING

from ._calls import (
    AsyncGroup,
    Call,
    Listing,
    Segments,
    SyncGroup,
    create,
    delete,
    get,
    get_all,
    listing,
    operation,
    patch,
    run,
)
from ._encode import KEEP, Keep, changes, members
from ._models import ClientKeyOutcome, ClientKeyRetirement, Member, Role, SessionsEnded, SessionSummary
from ._secret import SecretToken, secret

if TYPE_CHECKING:
    from ._connection import AsyncConnection, SyncConnection


class _MemberCalls:
    _organization: str

    @operation
    def add(
        self,
        email: str,
        role: Role,
        *,
        workspace_id: str | None = None,
        name: str | None = None,
        password: SecretToken | str | None = None,
        idempotency_key: str | None = None,
    ) -> Call[Member]:
        """Adds a member.

        Mortise sends no e-mail, so give the password to the user yourself. A user of the organization keeps the name
        and password that they have. The call is retried under its idempotency key.

        Args:
            email: The e-mail address of the user, in ASCII.
            role: The role of the member.
            workspace_id: The id of the workspace that the role is limited to. None means the whole organization.
            name: The name of the user, 1 to 255 characters.
            password: The password of the user, 12 to 256 characters. A user without a password can sign in only with
                the identity provider.
            idempotency_key: Your own text, which makes the call safe to repeat for 24 hours. None means a random text.
        """
        body = members(
            email=email,
            role=role,
            workspace_id=workspace_id,
            name=name,
            password=None if password is None else secret(password),
        )
        return create(self._path(), Member, body, idempotency_key)

    @listing
    def list(
        self,
        *,
        workspace_id: str | None = None,
        role: Role | None = None,
        query: str | None = None,
        page_size: int = 50,
    ) -> Listing[Member]:
        """Lists the members, newest first.

        A member who manages single workspaces sees the members of those workspaces.

        Args:
            workspace_id: The id of the workspace of the members.
            role: The role of the members.
            query: A part of the e-mail address or the name, 1 to 255 characters.
            page_size: The number of members per page, 1 to 100.
        """
        filters = (("workspace_id", workspace_id), ("role", role), ("query", query))
        return Listing(self._path(), Member, filters, page_size)

    @operation
    def get(self, id: str) -> Call[Member]:
        """Gets a membership."""
        return get(self._path(id), Member)

    @operation
    def update(
        self,
        id: str,
        *,
        role: Role | Keep = KEEP,
        name: str | Keep | None = KEEP,
        password: SecretToken | str | Keep = KEEP,
    ) -> Call[Member]:
        """Changes a membership and its user.

        A new password ends the sessions of the user. The call is retried only if nothing was sent.

        Args:
            id: The id of the membership.
            role: The new role.
            name: The new name of the user. None removes the name.
            password: The new password, 12 to 256 characters.
        """
        new_password = password if isinstance(password, Keep) else secret(password)
        return patch(self._path(id), Member, changes(role=role, name=name, password=new_password))

    @operation
    def remove(self, id: str, *, client_keys: ClientKeyOutcome = "disable") -> Call[ClientKeyRetirement]:
        """Removes a member, and says how many client keys the user had.

        The sessions of the user in the organization end at once. A user without another membership is deleted. The call
        is retried only if nothing was sent.

        Args:
            id: The id of the membership.
            client_keys: What happens to the user's client keys in workspaces that the user can no longer enter.
        """
        return delete(self._path(id), ClientKeyRetirement, (("client_keys", client_keys),))

    @operation
    def sessions(self, id: str) -> Call[tuple[SessionSummary, ...]]:
        """Lists the sessions of a member in the organization that have not ended, newest first, at most 100.

        Args:
            id: The id of the membership.
        """
        return get_all(self._path(id, "sessions"), SessionSummary)

    @operation
    def end_sessions(self, id: str) -> Call[SessionsEnded]:
        """Ends the sessions of a member in the organization. The user can sign in again.

        The call is retried only if nothing was sent.

        Args:
            id: The id of the membership.
        """
        return delete(self._path(id, "sessions"), SessionsEnded, ())

    @operation
    def unbind(self, id: str) -> Call[None]:
        """Separates a member from an account of the identity provider.

        Requires a session of an owner, or an operator key. The sessions of the user end, and the next account with the
        user's verified e-mail address takes the place. The call is retried only if nothing was sent.

        Args:
            id: The id of the membership.
        """
        return run("DELETE", self._path(id, "identity"))

    def _path(self, *more: str) -> Segments:
        return ["v1", "organizations", self._organization, "members", *more]


class Members(_MemberCalls, SyncGroup):
    """The calls for the members of an organization. All require the permission `members:write`."""

    def __init__(self, connection: SyncConnection, organization: str) -> None:
        """Creates the calls for an organization."""
        super().__init__(connection)
        self._organization = organization


class AsyncMembers(_MemberCalls, AsyncGroup):
    """The calls for the members of an organization. All require the permission `members:write`."""

    def __init__(self, connection: AsyncConnection, organization: str) -> None:
        """Creates the calls for an organization."""
        super().__init__(connection)
        self._organization = organization
