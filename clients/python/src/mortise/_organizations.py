from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ._calls import AsyncGroup, Call, Listing, SyncGroup, create, get, listing, operation, patch, run
from ._encode import KEEP, Keep, changes, members, time_text
from ._models import CreatedOrganization, Event, LeakAction, Organization, UsageGrouping, UsageStep


def event_filters(
    type: str | None, actor: str | None, since: datetime | None, until: datetime | None
) -> tuple[tuple[str, str | None], ...]:
    """Returns the filters of a list of events."""
    return (
        ("type", type),
        ("actor", actor),
        ("since", None if since is None else time_text(since)),
        ("until", None if until is None else time_text(until)),
    )


def usage_filters(
    since: datetime | None, until: datetime | None, step: UsageStep, group_by: UsageGrouping | None
) -> tuple[tuple[str, str | None], ...]:
    """Returns the parameters of a usage report."""
    return (
        ("since", None if since is None else time_text(since)),
        ("until", None if until is None else time_text(until)),
        ("step", step),
        ("group_by", group_by),
    )


class _OrganizationCalls:
    @operation
    def create(
        self,
        name: str,
        *,
        slug: str | None = None,
        token_prefix: str | None = None,
        idempotency_key: str | None = None,
    ) -> Call[CreatedOrganization]:
        """Creates an organization with its default workspace and its first admin key.

        Requires an operator key. When the call returns, the database of the workspace exists, which can take seconds.
        The call is retried under its idempotency key.

        Args:
            name: The name, 1 to 255 characters.
            slug: The short name in URLs, 1 to 63 characters. None derives it from the name.
            token_prefix: The prefix of the organization's tokens, a lower-case letter and up to three lower-case
                letters or digits. None means Mortise's own prefixes.
            idempotency_key: Your own text, which makes the call safe to repeat for 24 hours. None means a random text.
        """
        body = members(name=name, slug=slug, token_prefix=token_prefix)
        return create(["v1", "organizations"], CreatedOrganization, body, idempotency_key)

    @listing
    def list(self, *, query: str | None = None, page_size: int = 50) -> Listing[Organization]:
        """Lists organizations, newest first.

        An operator key lists all organizations. Any other credential lists its own.

        Args:
            query: A part of the name or the slug, 1 to 255 characters.
            page_size: The number of organizations per page, 1 to 100.
        """
        return Listing(["v1", "organizations"], Organization, (("query", query),), page_size)

    @operation
    def get(self, organization: str) -> Call[Organization]:
        """Gets an organization by its id or slug."""
        return get(["v1", "organizations", organization], Organization)

    @operation
    def update(
        self,
        organization: str,
        *,
        name: str | Keep = KEEP,
        slug: str | Keep = KEEP,
        token_prefix: str | Keep | None = KEEP,
        expiry_notice_days: Sequence[int] | Keep | None = KEEP,
        unused_after_days: int | Keep | None = KEEP,
        leak_action: LeakAction | Keep | None = KEEP,
    ) -> Call[Organization]:
        """Changes the settings of an organization.

        Requires an operator key. For the days of notices and `leak_action`, a credential with `keys:write` and
        `webhooks:write` in the whole organization suffices. Existing tokens keep their prefix. The call is retried only
        if nothing was sent.

        Args:
            organization: The id or slug of the organization.
            name: The new name.
            slug: The new slug.
            token_prefix: The prefix of new tokens. None means Mortise's own prefixes.
            expiry_notice_days: The days before the end of a key at which `key.expiring` comes. None means 30, 7 and 1.
            unused_after_days: The days without a use after which `key.unused` comes. None means 90, and 0 never.
            leak_action: The reaction to a leaked token of a workspace's key. None is notify for test keys and
                publishable keys, and revoke for others.
        """
        days = expiry_notice_days
        if not isinstance(days, Keep) and days is not None:
            days = [*days]
        body = changes(
            name=name,
            slug=slug,
            token_prefix=token_prefix,
            expiry_notice_days=days,
            unused_after_days=unused_after_days,
            leak_action=leak_action,
        )
        return patch(["v1", "organizations", organization], Organization, body)

    @operation
    def delete(self, organization: str) -> Call[None]:
        """Deletes an organization with its default workspace, admin keys, members and session issuers.

        Requires an operator key. The default workspace must be suspended, and the other workspaces must be deleted. The
        call is retried only if nothing was sent.

        Args:
            organization: The id or slug of the organization.
        """
        return run("DELETE", ["v1", "organizations", organization])

    @listing
    def events(
        self,
        organization: str,
        *,
        type: str | None = None,
        actor: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        page_size: int = 50,
    ) -> Listing[Event]:
        """Lists the events of an organization, newest first: of its members, sessions, admin keys and workspaces.

        Requires the permission `events:read`.

        Args:
            organization: The id or slug of the organization.
            type: The type of the events, such as `rotated`.
            actor: The actor of the events: as events have it, such as `admin-key:<id>`, the e-mail address of a member,
                or the name of a key or the beginning of its token.
            since: The earliest time of the events.
            until: The time before which the events occurred.
            page_size: The number of events per page, 1 to 100.
        """
        path = ["v1", "organizations", organization, "events"]
        return Listing(path, Event, event_filters(type, actor, since, until), page_size)


class Organizations(_OrganizationCalls, SyncGroup):
    """The calls for organizations.

    Reading works with any credential. Changes require an operator key, but for the notices and the reaction to leaks.
    """


class AsyncOrganizations(_OrganizationCalls, AsyncGroup):
    """The calls for organizations.

    Reading works with any credential. Changes require an operator key, but for the notices and the reaction to leaks.
    """
