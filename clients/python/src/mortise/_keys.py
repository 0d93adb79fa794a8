from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ._calls import AsyncGroup, Call, Listing, SyncGroup, change_all, create, get, listing, operation, patch, post, run
from ._encode import KEEP, Keep, changes, members, texts, time_text, whole_seconds
from ._models import (
    Event,
    IssuedKey,
    Key,
    KeySort,
    KeyStatus,
    KeyType,
    Mode,
    Permission,
    UsageGrouping,
    UsageRow,
    UsageStep,
)
from ._organizations import event_filters, usage_filters

if TYPE_CHECKING:
    from ._connection import AsyncConnection, SyncConnection


class _KeyCalls:
    _path: tuple[str, ...]

    @operation
    def create(
        self,
        name: str,
        *,
        subject: str | None = None,
        type: KeyType | None = None,
        mode: Mode | None = None,
        description: str | None = None,
        scopes: Sequence[str] = (),
        permissions: Sequence[Permission] = (),
        allowed_namespaces: Sequence[str] | None = None,
        allowed_ips: Sequence[str] = (),
        rate_limit_per_minute: int | None = None,
        rate_limit_per_hour: int | None = None,
        expires_at: datetime | None = None,
        metadata: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Call[IssuedKey]:
        """Creates a key.

        Requires the permission `keys:write`. The call is retried under its idempotency key, so a broken connection
        cannot create two keys. No later response contains the token.

        Args:
            name: The name, 1 to 255 characters. Names of service keys and admin keys are unique among the keys of a
                collection that are not revoked.
            subject: The owner of a client key, 1 to 255 characters, by your own id. Required for client keys, and
                forbidden for other keys.
            type: The type of a service key. None means `service`. Forbidden for other keys.
            mode: The mode. None means `live`.
            description: The description, at most 2000 characters.
            scopes: The scopes, at most 100, each `*`, `verb:resource` or `verb:*`.
            permissions: The permissions of an admin or operator key, such as `keys:read`. Forbidden for other keys. An
                admin key without permissions has none. An operator key without permissions has `platform:*`.
            allowed_namespaces: The namespaces in which the key works, at most 100: all if None, only `default` if
                empty.
            allowed_ips: The IP addresses and CIDR ranges from which the key works, at most 100: all if empty.
            rate_limit_per_minute: The maximum number of uses per minute, at least 1. None means no limit.
            rate_limit_per_hour: The maximum number of uses per hour, at least 1. None means no limit.
            expires_at: The time at which the key expires, in the future. None means never.
            metadata: The data that your application keeps with the key, at most 16 KiB of JSON.
            idempotency_key: Your own text, which makes the call safe to repeat for 24 hours. None means a random text.
        """
        body = members(
            name=name,
            subject=subject,
            type=type,
            mode=mode,
            description=description,
            scopes=texts("scopes", scopes) or None,
            permissions=texts("permissions", permissions) or None,
            allowed_namespaces=None if allowed_namespaces is None else texts("allowed_namespaces", allowed_namespaces),
            allowed_ips=texts("allowed_ips", allowed_ips) or None,
            rate_limit_per_minute=rate_limit_per_minute,
            rate_limit_per_hour=rate_limit_per_hour,
            expires_at=expires_at,
            metadata=metadata,
        )
        return create([*self._path], IssuedKey, body, idempotency_key)

    @listing
    def list(
        self,
        *,
        query: str | None = None,
        status: KeyStatus | None = None,
        type: KeyType | None = None,
        subject: str | None = None,
        unused_since: datetime | None = None,
        expires_before: datetime | None = None,
        sort: KeySort | None = None,
        page_size: int = 50,
    ) -> Listing[Key]:
        """Lists the keys, newest first by default.

        Requires the permission `keys:read`. A key that is renamed or used while its list is read can appear twice or
        not at all in that order.

        Args:
            query: A part of the name or the description, or the beginning of a token, 1 to 255 characters.
            status: The status of the keys.
            type: The type of the service keys. Other collections do not have this filter.
            subject: The subject of the client keys. Other collections do not have this filter.
            unused_since: The time before which the keys were created, and since which they were not used.
            expires_before: The time before which the keys end, by their expiry or a grace period. Only keys that work
                now are listed.
            sort: The order; a minus reverses it. None means newest first, which is `-created_at`. Keys without an end
                come last in the order of `expires_at`, and keys that were never used come first in that of
                `last_used_at`.
            page_size: The number of keys per page, 1 to 100.
        """
        filters = (
            ("query", query),
            ("status", status),
            ("type", type),
            ("subject", subject),
            ("unused_since", None if unused_since is None else time_text(unused_since)),
            ("expires_before", None if expires_before is None else time_text(expires_before)),
            ("sort", sort),
        )
        return Listing([*self._path], Key, filters, page_size)

    @operation
    def get(self, id: str) -> Call[Key]:
        """Gets a key. Requires the permission `keys:read`."""
        return get([*self._path, id], Key)

    @operation
    def update(
        self,
        id: str,
        *,
        name: str | Keep = KEEP,
        description: str | Keep | None = KEEP,
        scopes: Sequence[str] | Keep = KEEP,
        permissions: Sequence[Permission] | Keep = KEEP,
        allowed_namespaces: Sequence[str] | Keep | None = KEEP,
        allowed_ips: Sequence[str] | Keep = KEEP,
        rate_limit_per_minute: int | Keep | None = KEEP,
        rate_limit_per_hour: int | Keep | None = KEEP,
        expires_at: datetime | Keep | None = KEEP,
        metadata: Mapping[str, Any] | Keep = KEEP,
    ) -> Call[Key]:
        """Changes the settings of a key.

        Requires the permission `keys:write`. A setting that is left out keeps its value, and None removes the setting.
        A new list or object replaces the old one. When the call returns, no node of the server uses the old settings.
        The call is retried only if nothing was sent. The ranges are those of `create`.
        """

        def kept(name: str, values: Sequence[str] | Keep | None) -> Any:
            return values if values is None or isinstance(values, Keep) else texts(name, values)

        body = changes(
            name=name,
            description=description,
            scopes=kept("scopes", scopes),
            permissions=kept("permissions", permissions),
            allowed_namespaces=kept("allowed_namespaces", allowed_namespaces),
            allowed_ips=kept("allowed_ips", allowed_ips),
            rate_limit_per_minute=rate_limit_per_minute,
            rate_limit_per_hour=rate_limit_per_hour,
            expires_at=expires_at,
            metadata=metadata,
        )
        return patch([*self._path, id], Key, body)

    @operation
    def delete(self, id: str) -> Call[None]:
        """Deletes a key.

        Requires the permission `keys:write`. The key stops working at once and forever, and disappears from lists. Its
        events stay. The call is retried only if nothing was sent.
        """
        return run("DELETE", [*self._path, id])

    @operation
    def disable(self, id: str) -> Call[Key]:
        """Disables a key until it is enabled.

        Requires the permission `keys:write`. The call is retried only if nothing was sent.
        """
        return post([*self._path, id, "disable"], Key)

    @operation
    def enable(self, id: str) -> Call[Key]:
        """Enables a disabled key. An expired key stays expired.

        Requires the permission `keys:write`. The call is retried only if nothing was sent.
        """
        return post([*self._path, id, "enable"], Key)

    @operation
    def deprecate(self, id: str, *, reason: str | None = None, grace_period: timedelta | None = None) -> Call[Key]:
        """Deprecates a key: it works until the grace period ends.

        Requires the permission `keys:write`. Calling it again can shorten the grace period, never extend it. The call
        is retried only if nothing was sent.

        Args:
            id: The id of the key.
            reason: The reason, for people, at most 2000 characters.
            grace_period: The grace period, 0 seconds to 30 days. Fractions of a second are dropped. None means 24
                hours.
        """
        body = members(reason=reason, grace_period_seconds=whole_seconds(grace_period))
        return post([*self._path, id, "deprecate"], Key, body)

    @operation
    def rotate(
        self, id: str, *, grace_period: timedelta | None = None, idempotency_key: str | None = None
    ) -> Call[IssuedKey]:
        """Gives a key a new token. The token before it works until the grace period ends.

        Requires the permission `keys:write`. The key keeps its id. Any token older than those two stops working at
        once. The call is retried under its idempotency key. No later response contains the token.

        Args:
            id: The id of the key.
            grace_period: The grace period, 0 seconds to 30 days. Fractions of a second are dropped. None means 24
                hours.
            idempotency_key: Your own text, which makes the call safe to repeat for 24 hours. None means a random text.
        """
        body = members(grace_period_seconds=whole_seconds(grace_period))
        return create([*self._path, id, "rotate"], IssuedKey, body, idempotency_key)

    @operation
    def revoke(self, id: str, *, reason: str | None = None) -> Call[Key]:
        """Revokes a key at once and forever.

        Requires the permission `keys:write`. Revoking a revoked key returns the key and keeps the first reason. The
        call is retried only if nothing was sent.

        Args:
            id: The id of the key.
            reason: The reason, for people, at most 2000 characters.
        """
        return post([*self._path, id, "revoke"], Key, members(reason=reason))

    @operation
    def revoke_all(self, ids: Sequence[str], *, reason: str | None = None) -> Call[tuple[Key, ...]]:
        """Revokes several keys at once and forever: all of them, or none.

        Requires the permission `keys:write`. Revoking a revoked key returns the key and keeps the first reason. The
        call is retried only if nothing was sent. The faults of the error name the keys because of which nothing was
        changed.

        Args:
            ids: The ids of the keys, 1 to 100, each once.
            reason: The reason, for people, at most 2000 characters.
        """
        return change_all([*self._path, "batch", "revoke"], Key, members(ids=texts("ids", ids), reason=reason))

    @operation
    def disable_all(self, ids: Sequence[str]) -> Call[tuple[Key, ...]]:
        """Disables several keys until they are enabled: all of them, or none.

        Requires the permission `keys:write`. The call is retried only if nothing was sent. The faults of the error name
        the keys because of which nothing was changed, such as revoked ones.

        Args:
            ids: The ids of the keys, 1 to 100, each once.
        """
        return change_all([*self._path, "batch", "disable"], Key, members(ids=texts("ids", ids)))

    @listing
    def events(
        self,
        id: str,
        *,
        type: str | None = None,
        actor: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        page_size: int = 50,
    ) -> Listing[Event]:
        """Lists the events of a key, newest first, also after its deletion.

        Requires the permission `events:read`.

        Args:
            id: The id of the key.
            type: The type of the events, such as `rotated`.
            actor: The actor of the events: as events have it, such as `admin-key:<id>`, the e-mail address of a member,
                or the name of a key or the beginning of its token.
            since: The earliest time of the events.
            until: The time before which the events occurred.
            page_size: The number of events per page, 1 to 100.
        """
        return Listing([*self._path, id, "events"], Event, event_filters(type, actor, since, until), page_size)

    @listing
    def usage(
        self,
        id: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        step: UsageStep = "hour",
        group_by: UsageGrouping | None = None,
        page_size: int = 100,
    ) -> Listing[UsageRow]:
        """Reports the verifications of a key, in the order of time.

        Requires the permission `keys:read`. A step without a verification has no row. The server writes counts every
        second, so a report can lack the last two seconds.

        Args:
            id: The id of the key.
            since: The time whose step is the first of the report. None means 24 hours before `until`.
            until: The time before which the steps begin. None means the present.
            step: The length of a step, in UTC: `minute` for the last 48 hours, `hour` and `day` for the last 400 days.
            group_by: The members that tell the rows of a step apart. None means one row for each step.
            page_size: The number of rows per page, 1 to 100.
        """
        path = [*self._path, id, "usage"]
        return Listing(path, UsageRow, usage_filters(since, until, step, group_by), page_size)


class Keys(_KeyCalls, SyncGroup):
    """The calls for one collection of keys.

    When a call that changes a key returns, every later verification on every node sees the change.
    """

    def __init__(self, connection: SyncConnection, path: tuple[str, ...]) -> None:
        """Creates the calls for a collection."""
        super().__init__(connection)
        self._path = path


class AsyncKeys(_KeyCalls, AsyncGroup):
    """The calls for one collection of keys.

    When a call that changes a key returns, every later verification on every node sees the change.
    """

    def __init__(self, connection: AsyncConnection, path: tuple[str, ...]) -> None:
        """Creates the calls for a collection."""
        super().__init__(connection)
        self._path = path
