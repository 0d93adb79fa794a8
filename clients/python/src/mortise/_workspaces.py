from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ._calls import AsyncGroup, Call, Listing, SyncGroup, create, get, listing, operation, patch, post, run
from ._encode import KEEP, Keep, changes, members, texts
from ._models import (
    ClientKeyOutcome,
    ClientKeyRetirement,
    Event,
    UsageGrouping,
    UsageRow,
    UsageStep,
    Workspace,
    WorkspaceState,
)
from ._organizations import event_filters, usage_filters


class _WorkspaceCalls:
    @operation
    def create(
        self,
        name: str,
        *,
        organization: str,
        slug: str | None = None,
        cluster: str | None = None,
        idempotency_key: str | None = None,
    ) -> Call[Workspace]:
        """Creates a workspace.

        Requires the permission `workspaces:write` or an operator key. When the call returns, the database of the
        workspace exists, which can take seconds. The call is retried under its idempotency key.

        Args:
            name: The name, 1 to 255 characters.
            organization: The id or slug of the organization that owns the workspace.
            slug: The short name in URLs, 1 to 63 characters. None derives it from the name.
            cluster: The name of the cluster for the database, 1 to 63 characters. None lets the server choose.
            idempotency_key: Your own text, which makes the call safe to repeat for 24 hours. None means a random text.
        """
        path = ["v1", "organizations", organization, "workspaces"]
        return create(path, Workspace, members(name=name, slug=slug, cluster=cluster), idempotency_key)

    @listing
    def list(
        self,
        *,
        organization_id: str | None = None,
        state: WorkspaceState | None = None,
        query: str | None = None,
        page_size: int = 50,
    ) -> Listing[Workspace]:
        """Lists workspaces, newest first.

        An operator key lists all workspaces. Any other credential lists the workspaces that it has access to.

        Args:
            organization_id: The id of the organization of the workspaces. A slug is refused.
            state: The state of the workspaces.
            query: A part of the name or the slug, 1 to 255 characters.
            page_size: The number of workspaces per page, 1 to 100.
        """
        filters = (("organization_id", organization_id), ("state", state), ("query", query))
        return Listing(["v1", "workspaces"], Workspace, filters, page_size)

    @operation
    def get(self, workspace: str) -> Call[Workspace]:
        """Gets a workspace by its id or slug."""
        return get(["v1", "workspaces", workspace], Workspace)

    @operation
    def update(
        self,
        workspace: str,
        *,
        name: str | Keep | None = KEEP,
        slug: str | Keep = KEEP,
        member_scopes: Sequence[str] | Keep | None = KEEP,
    ) -> Call[Workspace]:
        """Changes the settings of a workspace.

        Requires the permission `workspaces:write` or an operator key. The call is retried only if nothing was sent.

        Args:
            workspace: The id or slug of the workspace.
            name: The new name. None removes the name.
            slug: The new slug.
            member_scopes: The scopes that members can give to their own client keys. None allows every scope without a
                wildcard.
        """
        if member_scopes is not None and not isinstance(member_scopes, Keep):
            member_scopes = texts("member_scopes", member_scopes)
        body = changes(name=name, slug=slug, member_scopes=member_scopes)
        return patch(["v1", "workspaces", workspace], Workspace, body)

    @operation
    def retire_subject(
        self, workspace: str, subject: str, *, client_keys: ClientKeyOutcome = "disable"
    ) -> Call[ClientKeyRetirement]:
        """Ends the client keys of a removed subject, such as a user that your application has deleted.

        Requires the permission `keys:write`. The call is retried only if nothing was sent.

        Args:
            workspace: The id or slug of the workspace.
            subject: The subject of the keys.
            client_keys: What happens to the keys. `keep` only counts them.
        """
        body = members(subject=subject, client_keys=client_keys)
        return post(["v1", "workspaces", workspace, "retire-subject"], ClientKeyRetirement, body)

    @operation
    def suspend(self, workspace: str) -> Call[Workspace]:
        """Suspends a workspace: its keys do not work until it is resumed.

        Requires the permission `workspaces:write` or an operator key. The call is retried only if nothing was sent.
        """
        return post(["v1", "workspaces", workspace, "suspend"], Workspace)

    @operation
    def resume(self, workspace: str) -> Call[Workspace]:
        """Resumes a suspended workspace: its keys work again.

        Requires the permission `workspaces:write` or an operator key. The call is retried only if nothing was sent.
        """
        return post(["v1", "workspaces", workspace, "resume"], Workspace)

    @operation
    def archive(self, workspace: str) -> Call[Workspace]:
        """Archives a workspace: its keys do not work until it is restored.

        Requires the permission `workspaces:write` or an operator key. The events of the workspace can still be read.
        `restore` undoes the call for 30 days. The call is retried only if nothing was sent.
        """
        return post(["v1", "workspaces", workspace, "archive"], Workspace)

    @operation
    def restore(self, workspace: str) -> Call[Workspace]:
        """Restores an archived workspace, in the state that it had before.

        Requires the permission `workspaces:write` or an operator key. Restoring a workspace that is not archived
        changes nothing, and restoring one that was archived more than 30 days ago is a conflict. The call is retried
        only if nothing was sent.
        """
        return post(["v1", "workspaces", workspace, "restore"], Workspace)

    @operation
    def delete(self, workspace: str) -> Call[None]:
        """Deletes an archived workspace and its database.

        Requires the permission `workspaces:write` or an operator key. A workspace whose creation did not finish can be
        deleted, too. The call is retried only if nothing was sent.
        """
        return run("DELETE", ["v1", "workspaces", workspace])

    @listing
    def events(
        self,
        workspace: str,
        *,
        type: str | None = None,
        actor: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        page_size: int = 50,
    ) -> Listing[Event]:
        """Lists the events of a workspace and its keys, newest first.

        Requires the permission `events:read`.

        Args:
            workspace: The id or slug of the workspace.
            type: The type of the events, such as `rotated`.
            actor: The actor of the events: as events have it, such as `admin-key:<id>`, the e-mail address of a member,
                or the name of a key or the beginning of its token.
            since: The earliest time of the events.
            until: The time before which the events occurred.
            page_size: The number of events per page, 1 to 100.
        """
        path = ["v1", "workspaces", workspace, "events"]
        return Listing(path, Event, event_filters(type, actor, since, until), page_size)

    @listing
    def usage(
        self,
        workspace: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        step: UsageStep = "hour",
        group_by: UsageGrouping | None = None,
        page_size: int = 100,
    ) -> Listing[UsageRow]:
        """Reports the verifications of all keys of a workspace, in the order of time.

        Requires the permission `keys:read`. A step without a verification has no row. The server writes counts every
        second, so a report can lack the last two seconds.

        Args:
            workspace: The id or slug of the workspace.
            since: The time whose step is the first of the report. None means 24 hours before `until`.
            until: The time before which the steps begin. None means the present.
            step: The length of a step, in UTC: `minute` for the last 48 hours, `hour` and `day` for the last 400 days.
            group_by: The members that tell the rows of a step apart. None means one row for each step.
            page_size: The number of rows per page, 1 to 100.
        """
        path = ["v1", "workspaces", workspace, "usage"]
        return Listing(path, UsageRow, usage_filters(since, until, step, group_by), page_size)


class Workspaces(_WorkspaceCalls, SyncGroup):
    """The calls for workspaces.

    Each call names a workspace by its id, or by its slug in the organization of the credential.
    """


class AsyncWorkspaces(_WorkspaceCalls, AsyncGroup):
    """The calls for workspaces.

    Each call names a workspace by its id, or by its slug in the organization of the credential.
    """
