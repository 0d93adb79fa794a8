from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from ._secret import SecretToken

Item = TypeVar("Item")

Mode = Literal["live", "test"]
KeyStatus = Literal["active", "disabled", "deprecated", "expired", "revoked"]
KeyType = Literal["service", "anon"]
KeySort = Literal[
    "name",
    "-name",
    "created_at",
    "-created_at",
    "expires_at",
    "-expires_at",
    "last_used_at",
    "-last_used_at",
]
Permission = Literal[
    "keys:read",
    "keys:write",
    "keys:verify",
    "workspaces:write",
    "members:write",
    "events:read",
    "webhooks:read",
    "webhooks:write",
    "platform:*",
]
LeakAction = Literal["notify", "quarantine", "revoke"]
Role = Literal["owner", "admin", "member", "auditor"]
WorkspaceState = Literal["creating", "active", "suspended", "archived", "deleting"]
ClientKeyOutcome = Literal["keep", "disable", "revoke"]
UsageStep = Literal["minute", "hour", "day"]
UsageGrouping = Literal["code", "key", "code,key"]


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a list."""

    items: tuple[Item, ...]
    """The items, in the order of the list."""
    next_cursor: str | None
    """The cursor of the next page, or None on the last page."""


@dataclass(frozen=True, slots=True)
class Organization:
    """An organization, which owns workspaces, members and admin keys."""

    id: str
    name: str
    slug: str
    """The short name in URLs, unique on the server."""
    token_prefix: str | None
    """The prefix of the organization's new tokens, or None for Mortise's own prefixes, such as `mks`."""
    expiry_notice_days: tuple[int, ...] | None
    """The days before the end of a key at which the event `key.expiring` comes, or None for 30, 7 and 1."""
    unused_after_days: int | None
    """The days without a use after which the event `key.unused` comes. None means 90, and 0 never."""
    leak_action: str | None
    """The reaction to a leaked token of a key. None is notify for test and publishable keys, else revoke."""
    default_workspace_id: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace: a tenant with a database of its own, which holds its keys."""

    id: str
    organization_id: str
    ref: str
    """The reference in the tokens of the workspace, 8 characters. No other workspace ever gets it."""
    slug: str
    """The short name in URLs, unique in the organization."""
    name: str | None
    cluster_id: str
    """The id of the cluster, a PostgreSQL server, that has the database."""
    state: str
    """`creating`, `active`, `suspended`, `archived` or `deleting`. A newer server can add states."""
    is_default: bool
    """True if the workspace is used for requests of the organization that name none."""
    held_by_operator: bool
    """True if an operator suspended or archived the workspace. Then only an operator can resume or restore it."""
    member_scopes: tuple[str, ...] | None
    """The scopes that members can give to their own client keys. None allows every scope without a wildcard."""
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None


@dataclass(frozen=True, slots=True)
class ClientKeyRetirement:
    """What happened to the client keys of a removed subject."""

    client_keys: str
    """`keep`, `disable` or `revoke`."""
    client_key_count: int
    """The number of keys that worked before."""


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret of a key: what the server shows of a token after its creation."""

    prefix: str
    """The first 16 characters of the token."""
    created_at: datetime
    ends_at: datetime | None
    """The time at which a rotated token stops working, or None for the newest token."""
    last_used_at: datetime | None
    """The time of the last use, as of about two seconds ago, or None before the first use."""
    last_used_address: str | None
    """The last known IP address of a client that used it."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key: its settings, status and history, without a token."""

    id: str
    workspace_id: str | None
    """The id of the key's workspace, or None for admin and operator keys."""
    name: str
    description: str | None
    type: str
    """`service`, `anon`, `client`, `admin` or `operator`."""
    subject: str | None
    """The owner of a client key, by your own id, or None for other keys."""
    mode: str
    """`live` or `test`, fixed at the creation of the key."""
    prefix: str
    """The first 16 characters of the newest token."""
    status: str
    """`active`, `disabled`, `deprecated`, `expired` or `revoked` when the server answered."""
    scopes: tuple[str, ...]
    """The scopes of the key, which your application defines."""
    permissions: tuple[str, ...]
    """The permissions of an admin or operator key in this API, such as `keys:read`."""
    allowed_namespaces: tuple[str, ...] | None
    """The namespaces in which the key works: all if None, only `default` if empty."""
    allowed_ips: tuple[str, ...]
    """The IP addresses and CIDR ranges from which the key works: all if empty."""
    rate_limit_per_minute: int | None
    rate_limit_per_hour: int | None
    expires_at: datetime | None
    metadata: Mapping[str, Any] = field(hash=False)
    """The data that your application keeps with the key."""
    created_by: str
    """The creator of the key, such as `admin-key:<id>` or `member:<user id>`."""
    created_at: datetime
    updated_at: datetime
    last_used_at: datetime | None
    """The time of the last use, as of about two seconds ago, or None before the first use."""
    last_used_address: str | None
    """The last known IP address of a client that used it."""
    deprecated_at: datetime | None
    deprecation_reason: str | None
    grace_period_ends_at: datetime | None
    """The time at which a deprecated key stops working."""
    revoked_at: datetime | None
    revoked_by: str | None
    revocation_reason: str | None
    replaced_by: str | None
    """The id of the key that replaces this key, after a rotation through Fluxbase's clients."""
    secrets: tuple[Secret, ...]
    """The live secrets of the key, newest first: one, or two during a rotation."""


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key with a new token, from a creation or rotation."""

    key: Key
    token: SecretToken
    """The token, which no later response contains."""


@dataclass(frozen=True, slots=True)
class CreatedOrganization:
    """A new organization with its default workspace and its first admin key."""

    organization: Organization
    default_workspace: Workspace
    admin_key: Key
    token: SecretToken
    """The token of the admin key, which no later response contains."""


@dataclass(frozen=True, slots=True)
class Event:
    """An entry of the audit log, whose id never changes."""

    id: str
    type: str
    """The type of the event, such as `revoked`."""
    workspace_id: str | None
    organization_id: str | None
    key_id: str | None
    key_name: str | None
    """The name of the key at the time of the event."""
    actor: str
    """The caller that made the change, such as `admin-key:<id>`, `member:<user id>` or `system`."""
    address: str | None
    """The IP address of the caller, if known."""
    request_id: str | None
    """The id of the request in the server's log."""
    occurred_at: datetime
    changes: Mapping[str, Any] = field(hash=False)
    """The changed settings by name, with the old value in `from` and the new value in `to` where both are known."""


@dataclass(frozen=True, slots=True)
class Node:
    """A running server."""

    id: str
    """The id of the node. Each start chooses a new one."""
    version: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class ConnectionPool:
    """The connections of a pool."""

    purpose: str
    open: int
    """The number of open connections, idle ones included."""
    idle: int
    waiting: int
    """The number of requests that wait for a connection."""


@dataclass(frozen=True, slots=True)
class LookupConnections:
    """The look-up connections of a node to one PostgreSQL server."""

    open: int
    """The number of workspaces with a connection."""
    limit: int | None
    """The maximum, or None before the first look-up."""
    waiting: int


@dataclass(frozen=True, slots=True)
class Lease:
    """The lease of a node, which lets the node answer from memory."""

    id: str
    """The id of the lease. Each start of a node chooses a new one."""
    host: str | None
    """The name of the node's machine."""
    process_id: int | None
    """The number of the node's process."""
    version: str | None
    """The version of the node's program."""
    peppers: tuple[str, ...] | None
    """The ids of the peppers that the node knows. New tokens use the first one that all nodes know."""
    age_milliseconds: int
    """The time since the node renewed the lease."""
    is_own: bool
    """True if the lease belongs to the node that answered."""
    is_silent: bool
    """True if the node did not renew the lease in time. The next change waits for the node."""


@dataclass(frozen=True, slots=True)
class KeyMemory:
    """The keys in the memory of a node."""

    keys: int
    bytes: int
    """The estimated size."""


@dataclass(frozen=True, slots=True)
class Standby:
    """A standby of a PostgreSQL server."""

    name: str
    state: str
    synchronization: str
    """`async`, `potential`, `sync` or `quorum`."""
    lag_bytes: int
    """The bytes of the log that the standby has not replayed."""
    lag_milliseconds: int
    """The time that the standby needs to replay a change. 0 on an idle server."""


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """A PostgreSQL server. The members that only the server knows are None if it did not answer."""

    id: str
    name: str
    address: str | None
    """The hosts and ports, or None if the environment of the program names them."""
    workspaces: int
    """The number of workspaces on the cluster, whatever their state."""
    is_reachable: bool
    fault: str | None
    """The reason for which the server did not answer."""
    version: str | None
    is_standby: bool | None
    connections: int | None
    """The number of connections of all clients of the server."""
    maximum_connections: int | None
    lookups: LookupConnections
    changes: ConnectionPool
    leases: tuple[Lease, ...]
    """The nodes that answer from memory."""
    fences: int | None
    """The number of changes that are under way."""
    oldest_fence_milliseconds: int | None
    standbys: tuple[Standby, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """The state of an installation, as the node sees it that answered."""

    nodes: tuple[Node, ...]
    control_pools: tuple[ConnectionPool, ...]
    """The connections of the node to the control database."""
    memory: KeyMemory
    """The keys in the node's memory."""
    clusters: tuple[ClusterStatus, ...]


@dataclass(frozen=True, slots=True)
class UsageRow:
    """A row of a usage report: the number of verifications in one step of time."""

    start: datetime
    """The beginning of the step."""
    code: str | None
    """The code of the verdict, such as `valid`, or None if the report is not grouped by it."""
    key_id: str | None
    """The id of the key, or None if the report is not grouped by it."""
    count: int


@dataclass(frozen=True, slots=True)
class UserIdentity:
    """The account of a user at an identity provider."""

    issuer: str
    """The issuer, as its ID tokens name it."""
    subject: str
    """The text that the issuer gives to nobody else."""
    bound_at: datetime
    """The time of the first sign-in."""


@dataclass(frozen=True, slots=True)
class User:
    """A user, who can have several memberships."""

    id: str
    email: str
    name: str | None
    has_password: bool
    """True if the user has a password. A user without one can sign in only with the identity provider."""
    identity: UserIdentity | None = None
    """The account of the identity provider, or None for a user who has not signed in with one."""


@dataclass(frozen=True, slots=True)
class Member:
    """The membership of a user in an organization or in one workspace."""

    id: str
    user: User
    organization_id: str
    workspace_id: str | None
    """The id of the workspace that the role is limited to, or None for the whole organization."""
    role: str
    """`owner`, `admin`, `member` or `auditor`. A newer server can add roles."""
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class SessionIssuer:
    """A session issuer: the identity provider of an application, whose users manage their own client keys."""

    id: str
    organization_id: str
    issuer: str
    """The claim `iss` of the session tokens."""
    jwks_url: str | None
    jwks_file: str | None
    has_inline_jwks: bool
    """True if the public keys were in the request that added the issuer."""
    algorithms: tuple[str, ...]
    authorized_parties: tuple[str, ...]
    """The accepted values of the claim `azp`: all if empty."""
    audiences: tuple[str, ...]
    """The accepted values of the claim `aud`. If empty, a token with the claim is refused."""
    read_roles: tuple[str, ...]
    manage_roles: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook: a URL that is told of the events of an organization."""

    id: str
    organization_id: str
    workspace_id: str | None
    """The only workspace whose events are sent. None means the whole organization."""
    url: str
    description: str | None
    event_types: tuple[str, ...]
    enabled: bool
    disabled_reason: str | None
    created_at: datetime
    updated_at: datetime
    last_delivery_at: datetime | None
    """The time of the last attempt that the receiver accepted."""


@dataclass(frozen=True, slots=True)
class RevealedWebhook:
    """A webhook with its signing secret, which no other answer contains."""

    webhook: Webhook
    secret: SecretToken


@dataclass(frozen=True, slots=True)
class WebhookAttempt:
    """An attempt to tell the receiver of an event."""

    at: datetime
    duration_ms: int
    status_code: int | None
    """The status of the answer. None if no answer came."""
    response: str | None
    """The first KiB of the answer."""
    error: str | None


@dataclass(frozen=True, slots=True)
class WebhookDelivery:
    """An event that a webhook is told of, with the attempts so far."""

    id: str
    event_id: str
    """The id of the event, which is the header `webhook-id` of each attempt."""
    type: str
    attempts: tuple[WebhookAttempt, ...]
    next_attempt_at: datetime | None
    """The time of the next attempt. None after the last attempt."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """A member's session with its tokens."""

    access_token: SecretToken
    """The credential of calls."""
    token_type: str
    expires_in: int
    """The number of seconds after which the access token ends."""
    expires_at: datetime
    refresh_token: SecretToken
    """The token that renews both tokens. It works once: a second use ends the session."""
    session_id: str
    organization_id: str
    user: User
    memberships: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """A session in a list, without its tokens."""

    id: str
    organization_id: str
    """The id of the organization that the session acts in."""
    is_current: bool
    """True for the session of the credential."""
    address: str | None
    """The address that the user signed in from."""
    created_at: datetime
    refresh_until: datetime
    """The time at which the session ends, unless it is refreshed."""
    expires_at: datetime
    """The time at which the session ends in any case."""


@dataclass(frozen=True, slots=True)
class SessionsEnded:
    """What happened to the sessions of a member."""

    sessions: int
    """The number of sessions that ended."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity of a credential: a key or a member, with its permissions."""

    type: str
    """`operator_key`, `admin_key` or `member`."""
    key_id: str | None
    name: str | None
    organization_id: str | None
    """The id of the organization of the credential, or None for an operator key."""
    permissions: tuple[str, ...]
    """The permissions. A member of single workspaces has each of them in one of the workspaces at least."""
    session_id: str | None
    user: User | None
    memberships: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class VerifiedKey:
    """The key of a verified token."""

    id: str
    kind: str
    """`service`, `anon` or `client`."""
    workspace_id: str
    organization_id: str
    name: str
    subject: str | None
    """The owner of a client key, by your own id, or None for other keys."""
    scopes: tuple[str, ...]
    mode: str
    expires_at: datetime | None
    metadata: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The state of a rate limit after a verification."""

    limit: int
    remaining: int
    reset_at: datetime
    """The time at which all uses are available again."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a verification. Only `valid` means that the token is accepted."""

    valid: bool
    code: str
    """The reason of the verdict.

    `valid`, `malformed`, `not_found`, `disabled`, `revoked`, `expired`, `wrong_address`, `wrong_mode`,
    `wrong_namespace`, `insufficient_scope`, `rate_limited` or `workspace_unavailable`. A newer server can add codes,
    and none of them accepts a token.
    """
    key: VerifiedKey | None
    """The key, also of a refused token. None unless the token is genuine and belongs to the caller's organization."""
    rate_limit: RateLimit | None
    """The state of the tightest rate limit, or None if the key has none."""

    def __bool__(self) -> bool:
        """Returns `valid`, so that `if verdict:` cannot accept a refused token."""
        return self.valid


@dataclass(frozen=True, slots=True)
class Verification:
    """A token and what it must allow, for `verify_batch`."""

    token: SecretToken | str = field(repr=False)
    """The token that your application received, at most 4096 characters."""
    scopes: tuple[str, ...] | list[str] = field(default=(), hash=False)
    """The scopes that the key must have, at most 100. An empty list accepts every key."""
    address: str | None = None
    """The IP address of the end client. A key that is restricted to addresses needs it."""
    mode: Mode | None = None
    """The mode that the key must have. None accepts both."""
    namespace: str | None = None
    """The namespace in which the key is used. None means `default`."""
