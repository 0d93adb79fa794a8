"""The client of Mortise, a self-hosted API-key service for many tenants.

`Mortise` is the client for threads, and `AsyncMortise` is the client for asyncio. Both have the same calls. Every
failed call raises a `MortiseError`. The values of the API are frozen dataclasses whose fields have the names of the
API.
"""

from ._client import AsyncMortise, Mortise
from ._encode import KEEP, Keep
from ._errors import (
    ConflictError,
    CredentialError,
    Fault,
    ForbiddenError,
    InvalidRequestError,
    MortiseError,
    NotFoundError,
    RateLimitedError,
    RefusedError,
    TimedOutError,
    UnauthenticatedError,
    UnavailableError,
    UnexpectedAnswerError,
    UnreachableError,
)
from ._keys import AsyncKeys, Keys
from ._members import AsyncMembers, Members
from ._models import (
    ClientKeyOutcome,
    ClientKeyRetirement,
    CreatedOrganization,
    Event,
    Identity,
    IssuedKey,
    Key,
    KeyStatus,
    KeyType,
    Member,
    Mode,
    Organization,
    Page,
    Permission,
    RateLimit,
    Role,
    Secret,
    Session,
    SessionIssuer,
    SessionsEnded,
    SessionSummary,
    User,
    Verdict,
    Verification,
    VerifiedKey,
    Workspace,
    WorkspaceState,
)
from ._organizations import AsyncOrganizations, Organizations
from ._pages import AsyncPages, Pages
from ._secret import SecretToken
from ._session_issuers import AsyncSessionIssuers, SessionIssuers
from ._sessions import AsyncSessions, Sessions
from ._version import __version__
from ._workspaces import AsyncWorkspaces, Workspaces

__all__ = [
    "KEEP",
    "AsyncKeys",
    "AsyncMembers",
    "AsyncMortise",
    "AsyncOrganizations",
    "AsyncPages",
    "AsyncSessionIssuers",
    "AsyncSessions",
    "AsyncWorkspaces",
    "ClientKeyOutcome",
    "ClientKeyRetirement",
    "ConflictError",
    "CreatedOrganization",
    "CredentialError",
    "Event",
    "Fault",
    "ForbiddenError",
    "Identity",
    "InvalidRequestError",
    "IssuedKey",
    "Keep",
    "Key",
    "KeyStatus",
    "KeyType",
    "Keys",
    "Member",
    "Members",
    "Mode",
    "Mortise",
    "MortiseError",
    "NotFoundError",
    "Organization",
    "Organizations",
    "Page",
    "Pages",
    "Permission",
    "RateLimit",
    "RateLimitedError",
    "RefusedError",
    "Role",
    "Secret",
    "SecretToken",
    "Session",
    "SessionIssuer",
    "SessionIssuers",
    "SessionSummary",
    "Sessions",
    "SessionsEnded",
    "TimedOutError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnexpectedAnswerError",
    "UnreachableError",
    "User",
    "Verdict",
    "Verification",
    "VerifiedKey",
    "Workspace",
    "WorkspaceState",
    "Workspaces",
    "__version__",
]
